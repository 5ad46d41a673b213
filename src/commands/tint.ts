/** What a colour stands for. */
export type Tint = 'good' | 'caution' | 'bad' | 'strong' | 'white_on_black'

/** Of the terminal's own sixteen, which its owner has chosen to be read on light or dark. */
const CODES: Record<Tint, readonly [on: string, off: string]> = {
  good: ['32', '39'],
  caution: ['33', '39'],
  bad: ['31', '39'],
  strong: ['1', '22'],
  white_on_black: ['97;40', '39;49'],
}

/** The text in the colour of a tint, where there are colours. None says anything that the words do not. */
export function tinted(tint: Tint, text: string, hasColours: boolean): string {
  const [on, off] = CODES[tint]
  return hasColours && text !== '' ? `\u001B[${on}m${text}\u001B[${off}m` : text
}
