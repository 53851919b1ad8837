/** Small plots as SVG text: horizontal bars with intervals, and lines. Colours read on white and in grey. */

const FONT = 'font-family="system-ui, sans-serif" font-size="13"'
const INK = '#222'
const BAR = '#b3402e'
const SOFT = '#999'
const LINE_COLORS = ['#b3402e', '#2e6fb3', '#3a8a4d', '#8a5aa8', '#b38a2e', '#555', '#d06fa0', '#27a3a3']

const escapeText = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

function frame(width: number, height: number, title: string, body: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeText(title)}">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="16" y="24" ${FONT} font-weight="600" fill="${INK}">${escapeText(title)}</text>`,
    ...body,
    '</svg>',
    '',
  ].join('\n')
}

export interface Bar {
  readonly label: string
  readonly value: number
  readonly low?: number
  readonly high?: number
}

/** Values from `min` to `max`; the interval is drawn as a whisker. */
export function barPlot(title: string, bars: readonly Bar[], min: number, max: number): string {
  const [left, right, row] = [400, 80, 26]
  const width = 900
  const height = 52 + row * bars.length
  const x = (value: number) =>
    left + ((Math.min(max, Math.max(min, value)) - min) / (max - min)) * (width - left - right)
  const zero = x(Math.max(min, 0))
  const body = bars.flatMap(({ label, value, low, high }, index) => {
    const y = 40 + row * index
    const [from, to] = [Math.min(zero, x(value)), Math.max(zero, x(value))]
    const whisker =
      low === undefined || high === undefined
        ? []
        : [
            `<path d="M${x(low)} ${y + 9}H${x(high)}M${x(low)} ${y + 5}v8M${x(high)} ${y + 5}v8" stroke="${INK}"/>`,
          ]
    return [
      `<text x="${left - 8}" y="${y + 13}" ${FONT} text-anchor="end" fill="${INK}">${escapeText(label)}</text>`,
      `<rect x="${from}" y="${y}" width="${Math.max(1, to - from)}" height="18" fill="${BAR}" opacity="0.8"/>`,
      ...whisker,
      `<text x="${width - right + 8}" y="${y + 13}" ${FONT} fill="${INK}">${value.toFixed(3)}</text>`,
    ]
  })
  const axis = `<path d="M${zero} 34V${height - 8}" stroke="${SOFT}" stroke-dasharray="3 3"/>`
  return frame(width, height, title, [axis, ...body])
}

export interface Series {
  readonly label: string
  readonly values: readonly number[]
}

/** One line for each series over 0, 1, 2, …; the vertical range is given. */
export function linePlot(title: string, series: readonly Series[], min: number, max: number): string {
  const [width, height, left, top, bottom] = [900, 320, 56, 40, 28]
  const plotRight = width - 340
  const count = Math.max(2, ...series.map(({ values }) => values.length))
  const x = (index: number) => left + (index / (count - 1)) * (plotRight - left)
  const y = (value: number) =>
    height - bottom - ((Math.min(max, Math.max(min, value)) - min) / (max - min)) * (height - top - bottom)
  const body = series.flatMap(({ label, values }, index) => {
    const color = LINE_COLORS[index % LINE_COLORS.length]!
    const points = values.map((value, i) => `${x(i).toFixed(1)},${y(value).toFixed(1)}`).join(' ')
    return [
      `<polyline points="${points}" fill="none" stroke="${color}" stroke-width="1.5"/>`,
      `<text x="${plotRight + 14}" y="${top + 18 * index + 10}" ${FONT} fill="${color}">${escapeText(label)}</text>`,
    ]
  })
  const axes = `<path d="M${left} ${top}V${height - bottom}H${plotRight}" stroke="${SOFT}" fill="none"/>`
  const marks = [min, max].map(
    (value) =>
      `<text x="${left - 6}" y="${y(value) + 4}" ${FONT} text-anchor="end" fill="${INK}">${Number(value.toPrecision(3))}</text>`,
  )
  return frame(width, height, title, [axes, ...marks, ...body])
}
