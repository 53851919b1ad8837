/** The app as a person uses it: one place for every role and label that the journeys look for. */
import { readFile } from 'node:fs/promises'
import { expect, type Locator, type Page } from '@playwright/test'
import { picture } from './pictures'

export interface KitSteps {
  /** Called while the 24 words are shown. */
  readonly onWords?: () => Promise<void>
  /** Called while three of them are asked for. */
  readonly onProof?: () => Promise<void>
  /** Types wrong words first, and expects a refusal. */
  readonly wrongFirst?: boolean
}

const exactly = (text: string) => new RegExp(text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'), 'i')

export class SafelightPage {
  readonly page: Page
  readonly origin: string

  constructor(page: Page, origin: string) {
    this.page = page
    this.origin = origin
  }

  async open(): Promise<void> {
    await this.page.goto(this.origin)
  }

  /** Ends the renderer at once, with all its workers, as the system does when memory runs out; a new tab opens the app. */
  async killTab(): Promise<SafelightPage> {
    const { page, origin } = this
    const context = page.context()
    const crashed = page.waitForEvent('crash')
    page.goto('chrome://crash').catch(() => undefined)
    await crashed
    await page.close()
    const next = new SafelightPage(await context.newPage(), origin)
    await next.open()
    return next
  }

  createButton(): Locator {
    return this.page.getByRole('button', { name: 'Make a new vault' })
  }

  /** Makes a vault and proves its kit. Returns the 24 words. */
  async createVault(steps: KitSteps = {}): Promise<string[]> {
    await this.createButton().click()
    const items = this.page.getByRole('list', { name: 'The 24 words' }).getByRole('listitem')
    await expect(items).toHaveCount(24)
    const words = (await items.allInnerTexts()).map((text) => /[a-z]+/.exec(text)?.[0] ?? '')
    await steps.onWords?.()
    await this.page.getByRole('button', { name: 'I have written them down' }).click()
    await steps.onProof?.()
    if (steps.wrongFirst === true) {
      await this.proveKit(words.map((word) => (word === 'abandon' ? 'zoo' : 'abandon')))
      await this.expectRefusal()
    }
    await this.proveKit(words)
    await expect(this.fileInput()).toBeAttached()
    return words
  }

  private async proveKit(words: readonly string[]): Promise<void> {
    const fields = this.page.getByRole('textbox', { name: /^Word \d+$/ })
    await expect(fields).toHaveCount(3)
    for (const field of await fields.all()) {
      const name = await field.evaluate((input: HTMLInputElement) => input.labels?.[0]?.innerText ?? '')
      await field.fill(words[Number(/\d+/.exec(name)?.[0]) - 1] ?? '')
    }
    await this.page.getByRole('button', { name: 'Check the words' }).click()
  }

  /** From the first screen to an answer on the words. */
  async enterWords(words: string): Promise<void> {
    await this.page.getByRole('button', { name: 'I have 24 words' }).click()
    await this.retypeWords(words)
  }

  async retypeWords(words: string): Promise<void> {
    await this.page.getByRole('textbox', { name: 'Your 24 words' }).fill(words)
    await this.page.getByRole('button', { name: 'Open the vault' }).click()
  }

  /** A sentence for a person, announced, and nothing that looks like a stack. */
  async expectRefusal(): Promise<void> {
    const alert = this.page.getByRole('alert').first()
    await expect(alert).toBeVisible()
    await expect(alert).toContainText(/\w+ .*[.!]/)
    await expect(alert).not.toContainText(/error:|exception|undefined|\.ts/i)
  }

  fileInput(): Locator {
    return this.page.getByLabel('Choose photos')
  }

  async pick(names: readonly string[]): Promise<void> {
    await this.fileInput().setInputFiles(names.map(picture))
  }

  trayLine(name: string): Locator {
    return this.page.getByRole('region', { name: 'Uploads' }).getByRole('listitem').filter({ hasText: name })
  }

  async expectSafe(name: string, timeout = 120_000): Promise<void> {
    await expect(this.trayLine(name).getByText('Safe', { exact: true })).toBeVisible({ timeout })
  }

  async expectFailed(name: string): Promise<void> {
    await expect(this.trayLine(name).getByText('Not kept', { exact: true })).toBeVisible()
    await expect(this.trayLine(name)).toContainText(/[A-Z]\w+ .*\./)
  }

  async expectWaiting(name: string): Promise<void> {
    await expect(this.trayLine(name).getByText('Waiting for the vault', { exact: true })).toBeVisible()
  }

  /** In the vault, whether or not its line in the tray is still there. */
  async expectInVault(name: string): Promise<void> {
    await this.expectSafe(name)
  }

  photos(): Locator {
    return this.page.getByRole('main').getByRole('button', { name: /\.(?:jpg|png|webp|avif|gif)/i })
  }

  /** Photos in the grid whose small picture is restored. */
  thumbnails(): Locator {
    return this.photos().locator('img')
  }

  viewer(): Locator {
    return this.page.getByRole('dialog')
  }

  canvas(): Locator {
    return this.viewer().locator('canvas').first()
  }

  async view(name: string): Promise<void> {
    await this.page
      .getByRole('main')
      .getByRole('button', { name: exactly(name) })
      .click()
  }

  /** The viewer shows the photo: a canvas has its own size once it is drawn. */
  async expectShown(timeout = 60_000): Promise<void> {
    await expect(this.canvas()).toHaveAttribute('width', /./, { timeout })
  }

  /** The viewer shows a photo, of at most 4 megapixels, with every pixel it has. */
  async expectRestored(width: number, height: number, timeout = 60_000): Promise<void> {
    await expect(this.canvas()).toBeVisible({ timeout })
    await expect(this.canvas()).toHaveJSProperty('width', width)
    await expect(this.canvas()).toHaveJSProperty('height', height)
  }

  async showArtifact(): Promise<void> {
    await this.viewer().getByRole('switch', { name: 'What the vault holds' }).click()
    await expect(this.viewer().locator('canvas')).toHaveCount(2)
  }

  /** The viewer says that the photo is damaged, and there is no picture of it. */
  async expectDamageNamed(): Promise<void> {
    await expect(this.viewer().getByRole('alert')).toContainText(/damaged/i)
    await expect(this.viewer().locator('canvas, img')).toHaveCount(0)
  }

  async closeViewer(): Promise<void> {
    await this.page.keyboard.press('Escape')
    await expect(this.viewer()).toBeHidden()
  }

  /** The backend of the open vault's engine, once it has started. */
  async engine(): Promise<string> {
    await this.page.getByRole('button', { name: 'This device' }).click()
    const dialog = this.page.getByRole('dialog', { name: 'This device' })
    const backend = await dialog.getByText(/^(?:webgpu|wasm|cpu)$/).innerText()
    await dialog.getByRole('button', { name: 'Close' }).click()
    return backend
  }

  /** Shown in the open vault, once the engine has passed its probe. */
  async expectEngine(backend: 'webgpu' | 'wasm', timeout = 60_000): Promise<void> {
    await this.page.getByRole('button', { name: 'This device' }).click()
    const dialog = this.page.getByRole('dialog', { name: 'This device' })
    await expect(dialog.getByText(backend, { exact: true })).toBeVisible({ timeout })
    await dialog.getByRole('button', { name: 'Close' }).click()
  }

  /** The engine's own check: keystream as the reference has it, and a picture there and back. */
  async expectSoundDevice(backend: 'webgpu' | 'wasm', timeout = 60_000): Promise<void> {
    await this.page.getByRole('button', { name: 'This device' }).click()
    const dialog = this.page.getByRole('dialog', { name: 'This device' })
    await dialog.getByRole('button', { name: 'Check this device' }).click()
    const answer = `On ${backend} the keystream is right to the bit, and the test picture comes back`
    await expect(dialog.getByText(answer)).toBeVisible({ timeout })
    await dialog.getByRole('button', { name: 'Close' }).click()
  }

  importOptions(): Locator {
    return this.page.getByRole('group', { name: 'Options for new photos' })
  }

  async openImportOptions(): Promise<void> {
    await this.page.locator('summary', { hasText: 'Options' }).click()
    await expect(this.importOptions()).toBeVisible()
  }

  /** What the open viewer saves. */
  async download(): Promise<{ readonly name: string; readonly bytes: Buffer }> {
    const [download] = await Promise.all([
      this.page.waitForEvent('download'),
      this.viewer().getByRole('button', { name: 'Download' }).click(),
    ])
    return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) }
  }

  /** Pixels of the viewer's canvas, as text to compare. */
  async shownPixels(): Promise<string> {
    return this.canvas().evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL())
  }

  /** The service worker has taken everything in that the app needs without the vault. */
  async expectOfflineReady(): Promise<void> {
    await this.page.evaluate(async () => {
      await navigator.serviceWorker.ready
    })
  }
}
