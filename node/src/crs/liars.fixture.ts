/**
 * Up to t parties of a CRS ceremony in one hand: two faces, withheld and forged certificates, stale parents, replays, silence, bytes
 * for some only; at random, and more often where it may hurt: when a turn of theirs comes, and when one of others begins.
 */

import { agreement } from "@twinlock/sdk/protocol/committee"
import type { Digest, PartyIndex } from "@twinlock/sdk/protocol/ids"
import { type Act, type Certificate, statementsOf } from "./certificate.ts"
import { isClosing, partyOfTurn, type Updates, updatesDigest } from "./crsCommittee.ts"
import { TIMES, toySign } from "./toyCrs.fixture.ts"
import type { TurnsMessage } from "./turnsState.ts"
import type { Adversary, Hand } from "./turnsWorld.fixture.ts"

type List = { readonly act: Act; readonly turn: number; readonly digest: Digest }

/** @param zeal moves per chance, 0 for silence */
export const liars =
  (zeal: number) =>
  (world: Hand): Adversary => {
    const { committee, faulty, honest, updates, pick } = world
    const { ceremony, n, t } = committee
    const lists = new Map<Digest, Updates>([[updatesDigest(ceremony, []), []]])
    const signed = new Map<string, { readonly list: List; readonly by: Map<PartyIndex, Uint8Array> }>()
    const certificates: (Certificate | null)[] = [null]
    const tape: TurnsMessage[] = []
    const spoken = new Set<number>()
    const hidden = new Set<number>()
    const entries = new Map<number, number>()
    const generous = pick(3)

    const any = <T>(items: readonly T[]): T | undefined => items[pick(items.length)]
    const some = (): readonly PartyIndex[] => {
      const share = pick(4)
      return share === 0 ? honest : honest.filter(() => pick(4) < share)
    }
    const shuffled = (): readonly PartyIndex[] => {
      const left = [...honest]
      return honest.flatMap(() => left.splice(pick(left.length), 1))
    }
    /** Now, soon, or much later. */
    const when = (): number => [0, 0, pick(10), pick(40), pick(200)][pick(5)] ?? 0
    const send = (message: TurnsMessage): void => world.send(message, some(), when())
    const remember = (found: Updates): void => void lists.set(updatesDigest(ceremony, found), found)
    const keep = (certificate: Certificate): void => {
      remember(certificate.updates)
      if (!certificates.some((known) => known?.turn === certificate.turn)) certificates.push(certificate)
    }
    const listen = ({ act, turn, digest }: List, by: PartyIndex, signature: Uint8Array): void => {
      const name = `${act}/${turn}/${digest}`
      const entry = signed.get(name) ?? { list: { act, turn, digest }, by: new Map() }
      entry.by.set(by, signature)
      signed.set(name, entry)
    }

    const parentOf = (turn: number, latest: boolean): Certificate | null => {
      const before = certificates.filter((known) => (known?.turn ?? -1) < turn)
      const last = before.reduce((a, b) => ((b?.turn ?? -1) > (a?.turn ?? -1) ? b : a), null)
      return latest ? last : (any(before) ?? null)
    }
    /** @param good of the right form; a closing turn's may be about a list that was certified earlier */
    const proposal = (turn: number, good: boolean): readonly [TurnsMessage, Digest] => {
      const parent = parentOf(turn, good ? !isClosing(turn, n) || pick(2) === 0 : pick(3) > 0)
      const base = parent?.updates ?? []
      const made = isClosing(turn, n)
        ? base.slice(good || pick(6) > 0 ? 0 : 1)
        : [...base, updates.make(base, turn, `variant ${pick(3)}`, good || pick(5) > 0)]
      remember(made)
      const digest = updatesDigest(ceremony, made)
      const { signature } = toySign({ act: "propose", turn, digest }, partyOfTurn(turn, n))
      const shown = { turn, updates: made, parent: good || pick(12) > 0 ? parent : forged() }
      return [{ kind: "proposal", proposal: shown, signature }, digest]
    }
    /** Certified in secret, by as few of the others as it takes. */
    const hide = (turn: number): void => {
      hidden.add(turn)
      assemble()
      world.send(proposal(turn, true)[0], shuffled().slice(0, agreement({ n, t }) - faulty.length), 0)
    }
    const show = (turn: number, to: readonly PartyIndex[]): void => {
      assemble()
      const certificate = certificates.find((known) => known?.turn === turn)
      if (certificate) world.send({ kind: "certificate", certificate }, to, 0)
    }
    /** To those who know nothing better when they enter the next turn; to one of them only just before its time is up. */
    const showInTime = (turn: number, last: PartyIndex): void => {
      const others = pick(2) === 0 ? shuffled().slice(0, 1) : some()
      if (pick(2) === 0) world.after(TIMES.turnMs - 1 - pick(3), () => show(turn, [last]))
      else world.after(TIMES.turnMs + pick(80) - 30, () => show(turn, others))
    }
    /** Hidden; or one proposal to all, to some, late, with the hand's support for some; or two; or none. */
    const speak = (turn: number): void => {
      if (spoken.has(turn)) return
      spoken.add(turn)
      if (pick(5) < 2) return hide(turn)
      const faces = [0, 1, 1, 1, 1, 2][pick(6)] ?? 1
      for (let face = 0; face < faces; face++) {
        const [message, digest] = proposal(turn, pick(3) > 0)
        world.send(message, pick(2) === 0 ? honest : some(), pick(2) * when())
        for (const by of faulty)
          for (const act of pick(3) > 0 ? (["acknowledge", "conclude"] as const) : [])
            listen({ act, turn, digest }, by, toySign({ act, turn, digest }, by).signature)
      }
    }
    const propose = (): void => {
      const turn = [-1, 0, 1]
        .map((by) => world.turn() + by)
        .find((at) => at >= 0 && faulty.includes(partyOfTurn(at, n)))
      if (turn !== undefined) send(proposal(turn, false)[0])
    }
    const support = (): void => {
      const list = any([...signed.values()].filter((entry) => !hidden.has(entry.list.turn)))?.list ?? null
      const digest = any([...lists.keys()])
      const by = any(faulty)
      if (by === undefined || digest === undefined) return
      const wild = { act: any(["acknowledge", "conclude"] as const) ?? "conclude", digest }
      const statement = list !== null && pick(3) > 0 ? list : { ...wild, turn: world.turn() + pick(2) }
      send({ kind: "statement", statement: toySign(statement, by) })
    }
    /** What can be certified with all hands; kept back as often as not. */
    const assemble = (): void => {
      for (const { list, by } of signed.values()) {
        const found = lists.get(list.digest)
        if (found === undefined || list.act === "propose") continue
        const own = faulty.map((index) => [index, toySign(list, index).signature] as const)
        const signatures = new Map([...by, ...own])
        if (signatures.size < agreement({ n, t })) continue
        const made = { turn: list.turn, updates: found, signatures }
        if (list.act === "acknowledge") keep(made)
        if (hidden.has(list.turn) || pick(3) > 0) continue
        send(
          list.act === "acknowledge"
            ? { kind: "certificate", certificate: made }
            : { kind: "conclusion", conclusion: made },
        )
      }
    }
    const forged = (): Certificate => {
      const known = any(certificates) ?? { turn: world.turn(), updates: [], signatures: new Map() }
      const entry = any([...signed.values()])
      switch (pick(4)) {
        case 0:
          return { ...known, turn: known.turn + 1 + pick(n) }
        case 1:
          return { ...known, updates: known.updates.slice(pick(2), -1) }
        case 2: {
          const few = [...known.signatures].slice(0, agreement({ n, t }) - 1)
          return { ...known, signatures: new Map(few) }
        }
        default:
          return { ...known, signatures: new Map([...known.signatures, ...(entry?.by ?? [])]) }
      }
    }
    const forge = (): void => {
      const certificate = forged()
      send(
        pick(2) === 0
          ? { kind: "certificate", certificate }
          : { kind: "conclusion", conclusion: certificate },
      )
    }
    const replay = (): void => {
      const message = any(tape)
      if (message !== undefined) send(message)
    }
    const reveal = (): void => {
      const certificate = any(certificates.slice(-2))
      if (certificate) world.send({ kind: "certificate", certificate }, some(), 0)
    }
    const moves = [propose, support, support, assemble, reveal, reveal, forge, replay]
    const act = (times: number): void => {
      for (let move = 0; move < times; move++) any(moves)?.()
    }

    return {
      heard(message) {
        if (zeal === 0) return
        tape.push(message)
        switch (message.kind) {
          case "proposal": {
            const { turn, updates: found, parent } = message.proposal
            remember(found)
            if (parent) keep(parent)
            const digest = updatesDigest(ceremony, found)
            listen({ act: "propose", turn, digest }, partyOfTurn(turn, n), message.signature)
            // Too late for who has just proposed, and before others have it.
            if (hidden.has(turn - 1) && pick(2) === 0) show(turn - 1, some())
            break
          }
          case "statement":
            listen(message.statement, message.statement.party, message.statement.signature)
            break
          case "certificate":
            keep(message.certificate)
            break
          case "conclusion": {
            const digest = updatesDigest(ceremony, message.conclusion.updates)
            for (const statement of statementsOf("conclude", message.conclusion, digest))
              listen(statement, statement.party, statement.signature)
          }
        }
        if (pick(16) === 0) act(pick(zeal + 1))
      },
      entered(turn, index) {
        if (zeal === 0) return
        entries.set(turn, (entries.get(turn) ?? 0) + 1)
        if (hidden.has(turn) && entries.get(turn) === honest.length) showInTime(turn, index)
        if (faulty.includes(partyOfTurn(turn, n))) speak(turn)
        for (let look = 0; look < 3; look++) world.after(when(), assemble)
        world.after(when(), () => act(pick(zeal + 1)))
      },
      serves: () => zeal > 0 && pick(4) <= 1 + generous,
    }
  }
