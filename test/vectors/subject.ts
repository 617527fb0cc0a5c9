/** One subject: a folder of vectors, and the production code that they are about. */
import { culprits, isProtocolError } from "@twinlock/sdk/protocol/errors"
import { Inputs, type Lines, type Vector } from "./vector.ts"

export type Case = { readonly name: string; readonly comment: string; readonly inputs: Lines }

export type Subject = {
  readonly name: string
  /** Every code that a vector of the subject may expect. */
  readonly expects: readonly string[]
  /** From labelled seeds: the same at every call. */
  cases(): readonly Case[]
  /** What the production code makes of the inputs. Throws a ProtocolError where it refuses. */
  run(inputs: Inputs): Lines | Promise<Lines>
}

/** The vector of a case as the production code answers it now. */
export async function answered(subject: Subject, { name, comment, inputs }: Case): Promise<Vector> {
  const path = `${subject.name}/${name}`
  try {
    return { path, expect: "success", comment, inputs, outputs: await subject.run(new Inputs(inputs)) }
  } catch (error) {
    if (!isProtocolError(error)) throw error
    const blamed = culprits(error)
    const outputs: Lines = blamed.length === 0 ? [] : [["culprits", blamed.join(" ")]]
    return { path, expect: error.detail.code, comment, inputs, outputs }
  }
}
