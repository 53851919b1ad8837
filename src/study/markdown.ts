/** Reports: Markdown text, tables and the folder they go to. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export type Cell = string | number

export function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const line = (cells: readonly Cell[]) =>
    `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

export const percent = (share: number, digits = 1): string => `${(100 * share).toFixed(digits)} %`

/** A p-value as people read it. */
export function pText(p: number): string {
  return p >= 0.001 ? p.toFixed(3) : p === 0 ? '< 1e-300' : p.toExponential(1)
}

export interface Report {
  readonly name: string
  readonly markdown: string
  /** File name to content, beside the report. */
  readonly figures: Readonly<Record<string, string>>
}

/** Writes reports/<name>.md and its figures; returns the path of the report. */
export async function writeReport(report: Report, folder: string): Promise<string> {
  await mkdir(folder, { recursive: true })
  for (const [file, content] of Object.entries(report.figures)) await writeFile(join(folder, file), content)
  const path = join(folder, `${report.name}.md`)
  await writeFile(path, report.markdown)
  return path
}
