/** Entry of the darkroom worker. */
import { serve } from '../rpc/serve'
import { createDarkroom } from './darkroom'

serve(createDarkroom(), self as DedicatedWorkerGlobalScope)
