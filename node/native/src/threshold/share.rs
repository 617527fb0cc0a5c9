//! The decryption share of one party (protocol §5): per block the phase of the words under the party's key share, plus
//! the flooding mask ⟨E⟩_i.
//!
//! Secret: the key share, the masks, and the phases until their masks are added. Public: words, session, result. The
//! caller must have passed every release check, and hands over the words in a buffer that nobody else can change.
//!
//! Masks derive from the session, the format AND the words. A session id commits to format and words already; hashing
//! them once more means that even a caller that pairs them wrongly cannot make this party use one mask for two linear
//! forms, whose difference would be an exact equation on the key.
//!
//! Every share is computed twice and compared, since a fault in one computation would otherwise leave as an exact
//! equation on the key. The two read the key and the words anew and differ in order and, for packed words, in the
//! identities they use. The first hashes the words before it multiplies, the second after: words that change in memory
//! at one moment, whenever that is, give the two different masks or different phases.

use super::mask_keys::MaskKeys;
use super::packed_form::{self, Halving};
use super::raw_form::{self, Order};
use crate::errors::{Code, Failure, Result};
use crate::ring::element::{GR_BYTES, Gr};
use crate::ring::key_share::{KeyShare, NS_BITS, NSC_BITS};
use crate::word_format::{PACKED_MASK_WORDS, RAW_MASK_WORDS, WordFormat};
use sha2::{Digest, Sha256};
use std::hint::black_box;
use std::sync::OnceLock;
use zeroize::Zeroizing;

const _: () = assert!(RAW_MASK_WORDS == NS_BITS && PACKED_MASK_WORDS == NSC_BITS);

const MASK_TAG: &[u8] = b"twinlock/mask-context/v2";

/// A key share with what is derived from it once.
pub struct ShareKey {
    share: KeyShare,
    masks: OnceLock<MaskKeys>,
}

impl ShareKey {
    pub fn new(share: KeyShare) -> Self {
        Self { share, masks: OnceLock::new() }
    }

    pub fn share(&self) -> &KeyShare {
        &self.share
    }

    fn masks(&self) -> &MaskKeys {
        self.masks.get_or_init(|| MaskKeys::new(self.share.prss()))
    }
}

/// One ciphertext to decrypt in one session.
#[derive(Clone, Copy)]
pub struct ShareRequest<'a> {
    pub words: &'a [u8],
    pub format: WordFormat,
    pub session: &'a [u8; 32],
}

/// This party's share of the decryption: 64 bytes per block, in block order. The same words and session always give the
/// same bytes.
///
/// # Errors
/// `SHARE_WORDS` unless a type of this format has words of exactly this length; `SHARE_FAULT` where the two computations
/// differ.
pub fn decryption_share(key: &ShareKey, request: ShareRequest<'_>) -> Result<Vec<u8>> {
    twice(request, |request, pass| compute(key, request, pass))
}

/// Runs both passes, side by side on a thread of a pool, and gives the result out only where they agree.
fn twice(
    request: ShareRequest<'_>,
    compute: impl Fn(ShareRequest<'_>, Pass) -> Zeroizing<Vec<u8>> + Sync,
) -> Result<Vec<u8>> {
    request.format.blocks(request.words.len())?;
    let first = || compute(black_box(request), Pass::First);
    let second = || compute(black_box(request), Pass::Second);
    let (share, again) = match rayon::current_thread_index() {
        Some(_) => rayon::join(first, second),
        None => (first(), second()),
    };
    if *share != *again {
        return Err(Failure::new(Code::ShareFault, "two computations of one decryption share differ"));
    }
    Ok(share.to_vec())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pass {
    First,
    Second,
}

fn compute(key: &ShareKey, request: ShareRequest<'_>, pass: Pass) -> Zeroizing<Vec<u8>> {
    let (mut values, context) = match pass {
        Pass::First => {
            let context = mask_context(request);
            (phases(&key.share, request, pass), context)
        }
        Pass::Second => {
            let values = phases(&key.share, request, pass);
            (values, mask_context(request))
        }
    };
    key.masks().add_masks(&context, &mut values, pass == Pass::Second);
    let mut out = Zeroizing::new(Vec::with_capacity(values.len() * GR_BYTES));
    for value in values.iter() {
        out.extend_from_slice(Zeroizing::new(value.to_bytes()).as_ref());
    }
    out
}

fn phases(share: &KeyShare, request: ShareRequest<'_>, pass: Pass) -> Zeroizing<Vec<Gr>> {
    match (request.format, pass) {
        (WordFormat::Raw, Pass::First) => raw_form::phases(request.words, share.ns(), Order::Forward),
        (WordFormat::Raw, Pass::Second) => raw_form::phases(request.words, share.ns(), Order::Backward),
        (WordFormat::Packed, Pass::First) => packed_form::phases(request.words, share.nsc(), Halving::Sums),
        (WordFormat::Packed, Pass::Second) => {
            packed_form::phases(request.words, share.nsc(), Halving::Differences)
        }
    }
}

/// SHA-256 of tag ‖ session ‖ format(1) ‖ SHA-256(words).
fn mask_context(request: ShareRequest<'_>) -> [u8; 32] {
    Sha256::new()
        .chain_update(MASK_TAG)
        .chain_update(request.session)
        .chain_update([request.format as u8])
        .chain_update(Sha256::digest(request.words))
        .finalize()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ring::committee::Committee;
    use crate::ring::prss::PrssKeys;
    use crate::word_format::WORD_BYTES;

    fn key(ns: u128, nsc: u128, prss: u8) -> ShareKey {
        let committee = Committee::new(4, 1).unwrap();
        let mut bits = [vec![Gr::ONE; NS_BITS], vec![Gr::ONE; NSC_BITS]];
        bits[0][4000] += Gr([0, 0, 0, ns]);
        bits[1][6000] += Gr([0, 0, 0, nsc]);
        let [ns, nsc] = bits;
        let keys = vec![[0; 32], [0; 32], [prss; 32]];
        ShareKey::new(KeyShare::new(ns, nsc, PrssKeys::new(committee, 2, keys).unwrap()).unwrap())
    }

    /// What a bit flip in memory between the two passes, or in one of two cores, amounts to: one pass with other input.
    #[test]
    fn one_computation_with_a_changed_input_is_a_fault_and_nothing_leaves() {
        let good = key(0, 0, 0);
        for (format, blocks) in [(WordFormat::Raw, 1), (WordFormat::Packed, 8)] {
            let words: Vec<u8> = (0..format.byte_length(blocks)).map(|at| (at * at / 7) as u8).collect();
            let request = ShareRequest { words: &words, format, session: &[1; 32] };
            let run = |struck: Pass, bad: &ShareKey, other: ShareRequest<'_>| {
                twice(request, |request, pass| {
                    if pass == struck { compute(bad, other, pass) } else { compute(&good, request, pass) }
                })
                .map_err(|failure| failure.code)
            };
            let whole = decryption_share(&good, request).unwrap();
            let mut changed = words.clone();
            changed[5 * WORD_BYTES + 15] ^= 0x80;
            for pass in [Pass::First, Pass::Second] {
                assert_eq!(run(pass, &good, request), Ok(whole.clone()));
                let other = ShareRequest { words: &changed, ..request };
                assert_eq!(run(pass, &good, other), Err(Code::ShareFault), "words");
                let other = ShareRequest { session: &[2; 32], ..request };
                assert_eq!(run(pass, &good, other), Err(Code::ShareFault), "session");
                for bad in [key(1 << 127, 1 << 127, 0), key(0, 0, 1)] {
                    assert_eq!(run(pass, &bad, request), Err(Code::ShareFault), "key");
                }
            }
        }
    }

    /// Words that change between being hashed and being multiplied: one mask for two forms, were it not caught.
    #[test]
    fn words_that_change_while_they_are_read_are_a_fault() {
        let key = key(0, 0, 0);
        let before = vec![1; WordFormat::Packed.byte_length(8)];
        let mut after = before.clone();
        after[77] ^= 1;
        let read = |words| ShareRequest { words, format: WordFormat::Packed, session: &[1; 32] };
        let result = twice(read(&before), |_, pass| {
            let context = mask_context(read(if pass == Pass::First { &before } else { &after }));
            let mut values = phases(key.share(), read(&after), pass);
            key.masks().add_masks(&context, &mut values, false);
            Zeroizing::new(values.iter().flat_map(|value| value.to_bytes()).collect())
        });
        assert_eq!(result.map_err(|failure| failure.code), Err(Code::ShareFault));
    }
}
