import './trusted-scripts'
import './theme.css'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { restoreTheme } from '../state/theme'
import { connectVault } from '../state/vault-store'
import { createVaultService } from '../vault/service'
import { startDarkroom } from '../workers/start-darkroom'
import { App } from './App'
import { SERVED_MODELS } from './model-addresses'

restoreTheme()
connectVault(createVaultService({ startDarkroom, models: SERVED_MODELS }))

const root = document.getElementById('root')
if (root !== null)
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  )
