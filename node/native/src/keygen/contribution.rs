//! One party's additive contribution to the bodies of a key (protocol §4, docs/keygen.md §3).
//!
//! Shamir shares become additive shares locally: coef0(lambda_p · share_p), and coef0(lambda_p · share_p(s) · share_p(S))
//! for a product, which is linear in the body and opened at once. Bit i uses the sets {i, …, i + t} and {i, …, i + 2t}
//! modulo n, so the work is spread. To this the party adds its own noise and a pairwise zero sharing; without the latter
//! one body would show a multiple of a share. Secret: shares, root, pair keys. Public: seed and result.
//!
//! A chunk is a function of the party's state: made twice, it has the same bytes and tells nothing new. Every stream has a
//! key per part and is read at the position of the coefficient, so no position is used twice (layout tests).
use super::context::{Context, Root};
use super::layout::Chunk;
use super::masks::{MaskStream, PUBLIC_SEED_BYTES};
use super::row::{RowJob, Scratch};
use crate::params::Secret;
use crate::ring::Gr;
use crate::ring::shamir::{cyclic_set, lagrange};
use rayon::prelude::*;
use zeroize::Zeroizing;

/// What a party contributes from.
pub struct Contributor {
    pub(super) context: Context,
    pub(super) root: Root,
    /// Shares of all key bits.
    shares: Zeroizing<Vec<Gr>>,
    /// Keys shared with each other party.
    pub(super) pairs: Vec<PairKey>,
    public_seed: [u8; PUBLIC_SEED_BYTES],
    pub(super) masks: MaskStream,
    /// By bit position modulo n: the Lagrange coefficient of this party in the linear and in the product set, if a member.
    pub(super) linear: Vec<Option<Gr>>,
    pub(super) product: Vec<Option<Gr>>,
}

/// A key that exactly this party and `other` hold.
#[derive(Clone)]
pub struct PairKey {
    pub other: usize,
    pub key: Zeroizing<[u8; 32]>,
}

impl Contributor {
    /// `shares` holds all 17,196 key bits, `pairs` one key per other party.
    pub fn new(
        context: Context,
        root: Root,
        shares: Zeroizing<Vec<Gr>>,
        pairs: Vec<PairKey>,
        public_seed: &[u8; PUBLIC_SEED_BYTES],
    ) -> Contributor {
        let committee = context.committee;
        let coefficient = |first: usize, length: usize| {
            let set = cyclic_set(committee, first, length);
            let place = set.iter().position(|&p| p == context.index)?;
            Some(lagrange(&set, 0)[place])
        };
        Contributor {
            linear: committee.parties().map(|first| coefficient(first, committee.t() + 1)).collect(),
            product: committee.parties().map(|first| coefficient(first, committee.quorum())).collect(),
            public_seed: *public_seed,
            masks: MaskStream::new(public_seed),
            context,
            root,
            shares,
            pairs,
        }
    }

    pub fn context(&self) -> &Context {
        &self.context
    }

    pub fn public_seed(&self) -> &[u8; PUBLIC_SEED_BYTES] {
        &self.public_seed
    }

    pub fn shares(&self) -> &[Gr] {
        &self.shares
    }

    /// The body bytes of `chunk`, little-endian words, row after row.
    pub fn contribution(&self, chunk: &Chunk) -> Vec<u8> {
        let part = chunk.part.part();
        let job = RowJob::new(self, chunk);
        let mut body = vec![0u8; chunk.byte_length()];
        body.par_chunks_mut(part.row_words * part.word_bytes())
            .zip(chunk.rows.clone())
            .for_each_init(|| Scratch::new(part), |scratch, (out, row)| job.row(row, scratch, out));
        body
    }

    /// Additive share of key bit `bit` of `secret`, for the set that starts at `first`, if this party is in it.
    #[inline(always)]
    pub(super) fn additive(&self, secret: Secret, bit: usize, first: usize) -> Option<u128> {
        self.linear[first].map(|lambda| lambda.coef0_product(self.shares[secret.range().start + bit]))
    }

    pub(super) fn shares_of(&self, secret: Secret) -> &[Gr] {
        &self.shares[secret.range()]
    }
}
