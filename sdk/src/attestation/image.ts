/**
 * A guest image as its builder publishes it. Firmware, kernel and root file system are the same on every machine;
 * RTMR0 measures the shape of the virtual machine (processors, memory, ACPI tables), so an image comes with one
 * value per shape on which it may run. The allow-list knows each pair of image and shape as one `imageId`.
 */
import type { Hex } from "../protocol/ids.ts"
import { type AllowListEntry, imageIdOf } from "./policy.ts"
import type { TdReport } from "./quote.ts"

export type VmShape = {
  /** For humans, such as "4 processors, 8 GiB". */
  readonly name: string
  /** 48 bytes. */
  readonly rtMr0: Hex
}

/** Registers are 48 bytes. */
export type GuestImage = {
  readonly name: string
  /** Firmware. */
  readonly mrTd: Hex
  /** Kernel. */
  readonly rtMr1: Hex
  /** Command line, initial file system and, through it, the root file system. */
  readonly rtMr2: Hex
  readonly shapes: readonly VmShape[]
}

/** Allow-list entries that grant `grant` to the image on each of its shapes. */
export const entriesOfImage = (
  image: GuestImage,
  grant: Omit<AllowListEntry, "imageId">,
): readonly AllowListEntry[] =>
  image.shapes.map(({ rtMr0 }) => ({ ...grant, imageId: imageIdOf({ ...image, rtMr0 }) }))

/** The image and shape that a report shows, or null where it is none of `images`. */
export function imageOf(
  report: Pick<TdReport, "mrTd" | "rtMr0" | "rtMr1" | "rtMr2">,
  images: readonly GuestImage[],
): { readonly image: GuestImage; readonly shape: VmShape } | null {
  for (const image of images) {
    const { mrTd, rtMr1, rtMr2 } = image
    if (report.mrTd !== mrTd || report.rtMr1 !== rtMr1 || report.rtMr2 !== rtMr2) continue
    const shape = image.shapes.find(({ rtMr0 }) => rtMr0 === report.rtMr0)
    if (shape) return { image, shape }
  }
  return null
}
