import { isProtocolError } from "../../sdk/src/protocol/errors.ts"

/** The code of the ProtocolError that `run` throws; "none" where it returns. Any other exception is a failure. */
export function codeOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (isProtocolError(error)) return error.detail.code
    throw error
  }
  return "none"
}

/** As {@link codeOf}, for a promise. */
export async function rejectionCodeOf(run: () => Promise<unknown>): Promise<string> {
  try {
    await run()
  } catch (error) {
    if (isProtocolError(error)) return error.detail.code
    throw error
  }
  return "none"
}
