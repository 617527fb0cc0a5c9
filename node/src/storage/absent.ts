/** For `catch` of a read: null where there is no such file, every other failure as it is. */
export function nullIfAbsent(error: NodeJS.ErrnoException): null {
  if (error.code === "ENOENT") return null
  throw error
}
