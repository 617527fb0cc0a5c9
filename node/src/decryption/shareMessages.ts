/** Shares cut into messages of the allowed size (protocol §6). Pure. */
import { MAX_ITEMS, MAX_SHARE_BYTES, type SessionShare } from "@twinlock/sdk/protocol/messages"

/** The same shares in the same order, none twice, in as few messages as their order allows. */
export function shareMessages(shares: readonly SessionShare[]): readonly (readonly SessionShare[])[] {
  const messages: SessionShare[][] = []
  const said = new Set<string>()
  let bytes = 0
  for (const item of shares) {
    const name = item.subject + item.sessionId
    if (said.has(name)) continue
    said.add(name)
    const last = messages.at(-1)
    if (last === undefined || last.length === MAX_ITEMS || bytes + item.share.length > MAX_SHARE_BYTES) {
      messages.push([item])
      bytes = item.share.length
    } else {
      last.push(item)
      bytes += item.share.length
    }
  }
  return messages
}
