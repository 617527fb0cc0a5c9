/** Text on a terminal: colours and line breaks. */

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 } as const
export type Style = keyof typeof CODES

/** Puts styles around a text. */
export type Paint = (text: string, ...styles: readonly Style[]) => string

export const paintOf = (colour: boolean): Paint =>
  colour
    ? (text, ...styles) =>
        text === "" ? "" : `${styles.map((style) => `\x1b[${CODES[style]}m`).join("")}${text}\x1b[0m`
    : (text) => text

/** At most `width` characters. */
export const shorten = (text: string, width: number): string =>
  text.length > width ? `${text.slice(0, width - 1)}…` : text

/** Lines of at most `width` characters, broken at spaces where there are any. */
export function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = []
  let line = ""
  for (const word of text.split(" ")) {
    let rest = word
    if (line !== "" && line.length + 1 + rest.length > width) {
      lines.push(line)
      line = ""
    }
    while (rest.length > width) {
      lines.push(rest.slice(0, width))
      rest = rest.slice(width)
    }
    line = line === "" ? rest : `${line} ${rest}`
  }
  return [...lines, line]
}

/**
 * Text of others goes to a terminal as one line, without characters that control it, turn the direction of writing or
 * cannot be seen.
 */
export const printable = (text: string): string =>
  text.replace(/[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/gu, "?")
