/** Every committee size that is promised. */
export type CommitteeSize = { readonly n: number; readonly t: number }

export const COMMITTEE_SIZES = [
  { n: 4, t: 1 },
  { n: 5, t: 1 },
  { n: 7, t: 2 },
  { n: 10, t: 3 },
  { n: 13, t: 4 },
  { n: 15, t: 4 },
] as const satisfies readonly CommitteeSize[]
