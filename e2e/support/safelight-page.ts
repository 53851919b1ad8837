/** The app as a person uses it: one place for every role and label that the journeys look for. */
import { expect, type Locator, type Page } from '@playwright/test'
import { picture } from './pictures'

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

  /** Makes a vault and proves its kit. Returns the 24 words. */
  async createVault(beforeProof?: () => Promise<void>): Promise<string[]> {
    await this.page.getByRole('button', { name: /create .*vault|new vault/i }).click()
    const words = await this.kitWords()
    await beforeProof?.()
    await this.page.getByRole('button', { name: /written|wrote/i }).click()
    await this.proveKit(words)
    await this.expectGallery()
    return words
  }

  async kitWords(): Promise<string[]> {
    const items = this.page.getByRole('list', { name: /words/i }).getByRole('listitem')
    await expect(items).toHaveCount(24)
    const texts = await items.allInnerTexts()
    return texts.map((text) => /[a-z]+/.exec(text)?.[0] ?? '')
  }

  proofFields(): Locator {
    return this.page.getByRole('textbox', { name: /word (?:number )?\d+/i })
  }

  async proveKit(words: readonly string[]): Promise<void> {
    const fields = this.proofFields()
    await expect(fields).toHaveCount(3)
    for (const field of await fields.all()) {
      const label = await field.evaluate(
        (input: HTMLInputElement) => input.labels?.[0]?.innerText ?? input.ariaLabel ?? '',
      )
      const position = Number(/\d+/.exec(label)?.[0])
      await field.fill(words[position - 1] ?? '')
    }
    await this.page.getByRole('button', { name: /check|prove|open/i }).click()
  }

  async openWithWords(words: string): Promise<void> {
    await this.page.getByRole('button', { name: /words/i }).click()
    await this.page.getByRole('textbox', { name: /words/i }).fill(words)
    await this.page.getByRole('button', { name: /open|restore|continue/i }).click()
  }

  async expectGallery(): Promise<void> {
    await expect(this.fileInput()).toBeAttached()
  }

  fileInput(): Locator {
    return this.page.locator('input[type=file]:not([webkitdirectory])').first()
  }

  async pick(names: readonly string[]): Promise<void> {
    await this.fileInput().setInputFiles(names.map(picture))
  }

  tray(): Locator {
    return this.page.getByRole('region', { name: /upload|import|tray/i })
  }

  trayLine(name: string): Locator {
    return this.tray().getByRole('listitem').filter({ hasText: name })
  }

  async expectSafe(name: string, timeoutMs = 120_000): Promise<void> {
    await expect(this.trayLine(name)).toContainText(/safe/i, { timeout: timeoutMs })
  }

  photos(): Locator {
    return this.page.getByRole('main').getByRole('button', { name: /\.(?:jpg|png|webp|avif|gif)/i })
  }

  photo(name: string): Locator {
    return this.page
      .getByRole('main')
      .getByRole('button', { name: new RegExp(name.replaceAll('.', '\\.'), 'i') })
  }

  viewer(): Locator {
    return this.page.getByRole('dialog')
  }

  async view(name: string): Promise<void> {
    await this.photo(name).click()
  }

  async closeViewer(): Promise<void> {
    await this.page.keyboard.press('Escape')
    await expect(this.viewer()).toBeHidden()
  }
}
