//! Rounds `prss-commit`, `prss-open`, `prss-confirm`: replicated keys r_A known exactly to the members of A, pairwise
//! keys for the zero sharing of contributions, and the public seed (protocol §4).
//!
//! Every member contributes to every key, so a key is uniform if one member is honest. Contributions are committed in
//! public, opened only to the members of A, and every member proves with a tag that it holds the same key.
use super::super::commitment::{COMMITMENT_BYTES, REVEAL_BYTES, check, combine, commit, reveal};
use super::super::context::{Context, Purpose, Session};
use super::super::contribution::PairKey;
use super::super::message::{Incoming, Outgoing, Secret};
use super::super::rowcheck::section::Section;
use super::bits::InputsRound;
use super::hello::CoinCommitments;
use super::{Round, Setup};
use crate::errors::{Code, Failure, Result};
use crate::params::PARAMETERS_NAME;
use crate::ring::{PrssKeys, Subset};
use zeroize::Zeroizing;

pub const TAG_BYTES: usize = 32;
pub const PAIR_BYTES: usize = 32;

pub struct PrssCommitRound {
    pub(super) session: Session,
    pub(super) sections: Vec<Section>,
    pub(super) seed_commitments: Vec<[u8; COMMITMENT_BYTES]>,
    pub(super) coins: CoinCommitments,
}

impl Round for PrssCommitRound {
    type Next = PrssOpenRound;

    fn produce(&self) -> Outgoing {
        let context = &self.session.context;
        let mut broadcast = Vec::new();
        for subset in context.committee.subsets_with(context.index) {
            let detail = detail(subset);
            let own = Zeroizing::new(reveal(&self.session, Purpose::PrssContribution, &detail));
            broadcast.extend(commit(
                context,
                Purpose::PrssContribution,
                context.index,
                &detail,
                own.as_ref(),
            ));
        }
        Outgoing::broadcast(context.committee.n(), broadcast)
    }

    fn consume(self, incoming: &Incoming) -> Result<PrssOpenRound> {
        let committee = self.session.context.committee;
        let mut commitments = Vec::new();
        for party in committee.parties() {
            incoming.no_private(party)?;
            let subsets = committee.subsets_with(party);
            let bytes = incoming.broadcast(party, subsets.len() * COMMITMENT_BYTES)?;
            let list = bytes.as_chunks::<COMMITMENT_BYTES>().0;
            commitments.push(subsets.into_iter().zip(list.iter().copied()).collect());
        }
        Ok(PrssOpenRound { before: self, commitments })
    }
}

pub struct PrssOpenRound {
    before: PrssCommitRound,
    /// By party: its commitment for each subset that it is in.
    commitments: Vec<Vec<(Subset, [u8; COMMITMENT_BYTES])>>,
}

/// What one party opened to this one: its contributions by subset, checked against their commitments, and to the pair key.
struct Opened<'a> {
    openings: Vec<(Subset, &'a [u8])>,
    pair: &'a [u8],
}

impl PrssOpenRound {
    fn session(&self) -> &Session {
        &self.before.session
    }

    /// The openings for the subsets that both are in, then the pair contribution.
    fn message_to(&self, receiver: usize) -> Secret {
        let context = &self.session().context;
        let subsets = shared_subsets(context, context.index, receiver);
        let mut out = Zeroizing::new(Vec::with_capacity(subsets.len() * REVEAL_BYTES + PAIR_BYTES));
        for subset in subsets {
            let own = Zeroizing::new(reveal(self.session(), Purpose::PrssContribution, &detail(subset)));
            out.extend_from_slice(own.as_ref());
        }
        out.extend_from_slice(self.pair_contribution(receiver).as_ref());
        out
    }

    fn pair_contribution(&self, other: usize) -> Zeroizing<[u8; PAIR_BYTES]> {
        let session = self.session();
        session.root.key(&session.context, Purpose::PairContribution, 0, &[other as u8])
    }

    fn open<'a>(&self, incoming: &'a Incoming, party: usize) -> Result<Opened<'a>> {
        let context = &self.session().context;
        let subsets = shared_subsets(context, context.index, party);
        let bytes = incoming.private(party, subsets.len() * REVEAL_BYTES + PAIR_BYTES)?;
        let (openings, pair) = bytes.split_at(subsets.len() * REVEAL_BYTES);
        let openings: Vec<(Subset, &[u8])> =
            subsets.into_iter().zip(openings.chunks_exact(REVEAL_BYTES)).collect();
        for (subset, opening) in &openings {
            let Some((_, commitment)) =
                self.commitments[party - 1].iter().find(|(committed, _)| committed == subset)
            else {
                return Err(Failure::by(Code::CommitmentMismatch, party, "an opening without a commitment"));
            };
            check(context, Purpose::PrssContribution, party, &detail(*subset), opening, commitment)?;
        }
        Ok(Opened { openings, pair })
    }
}

impl Round for PrssOpenRound {
    type Next = PrssConfirmRound;

    fn produce(&self) -> Outgoing {
        let seed = reveal(self.session(), Purpose::PublicSeed, &[]);
        let receivers = self.session().context.committee.parties();
        Outgoing { broadcast: seed.to_vec(), private: receivers.map(|q| Some(self.message_to(q))).collect() }
    }

    fn consume(self, incoming: &Incoming) -> Result<PrssConfirmRound> {
        let context = self.session().context;
        let mut seeds = Vec::new();
        let mut contributions: Vec<(Subset, Secret)> = context
            .committee
            .subsets_with(context.index)
            .into_iter()
            .map(|subset| (subset, Zeroizing::new(Vec::with_capacity(subset.len() * REVEAL_BYTES))))
            .collect();
        let mut pairs = Vec::new();
        for party in context.committee.parties() {
            let seed = incoming.broadcast(party, REVEAL_BYTES)?;
            let commitment = &self.before.seed_commitments[party - 1];
            check(&context, Purpose::PublicSeed, party, &[], seed, commitment)?;
            seeds.push(seed);
            let Opened { openings, pair } = self.open(incoming, party)?;
            for (subset, opening) in openings {
                // Members come in ascending order, so every member hashes the same string.
                for (_, all) in contributions.iter_mut().filter(|(own, _)| *own == subset) {
                    all.extend_from_slice(opening);
                }
            }
            if party != context.index {
                let own = self.pair_contribution(party);
                let key = pair_key(&context, party, own.as_ref(), pair);
                pairs.push(PairKey { other: party, key });
            }
        }
        let keys = contributions
            .iter()
            .map(|(subset, all)| *context.key(all, Purpose::PrssKey, 0, &detail(*subset)))
            .collect();
        let public_seed = combine(&context, Purpose::PublicSeed, PARAMETERS_NAME, &seeds);
        Ok(PrssConfirmRound {
            setup: Setup {
                prss: PrssKeys::new(context.committee, context.index, keys)?,
                pairs,
                public_seed,
                commitments: self.before.coins,
                session: self.before.session,
                sections: self.before.sections,
            },
        })
    }
}

pub struct PrssConfirmRound {
    pub(super) setup: Setup,
}

impl PrssConfirmRound {
    pub const fn public_seed(&self) -> [u8; 32] {
        self.setup.public_seed
    }

    /// The tags of `party` that this party can compute, with their places in its broadcast.
    fn expected(&self, party: usize) -> Vec<(usize, Zeroizing<[u8; TAG_BYTES]>)> {
        let context = &self.setup.session.context;
        let subsets = context.committee.subsets_with(party);
        let mut tags: Vec<_> = self
            .setup
            .prss
            .by_subset()
            .filter_map(|(subset, key)| {
                let place = subsets.iter().position(|s| *s == subset)?;
                let member = [&detail(subset)[..], &[party as u8]].concat();
                Some((place, context.key(key, Purpose::PrssConfirmation, 0, &member)))
            })
            .collect();
        for pair in &self.setup.pairs {
            let other = if party == context.index { pair.other } else { context.index };
            if party == context.index || party == pair.other {
                // Others of `party` in ascending order, itself left out.
                let place = subsets.len() + other - 1 - usize::from(other > party);
                let between = [party as u8, other as u8];
                tags.push((place, context.key(pair.key.as_ref(), Purpose::PairConfirmation, 0, &between)));
            }
        }
        tags
    }
}

impl Round for PrssConfirmRound {
    type Next = InputsRound;

    /// Tags of the replicated keys in subset order, then of the pair keys in the order of the other parties.
    fn produce(&self) -> Outgoing {
        let context = &self.setup.session.context;
        let mut tags = self.expected(context.index);
        tags.sort_by_key(|(place, _)| *place);
        let broadcast = tags.iter().flat_map(|(_, tag)| tag.iter().copied()).collect();
        Outgoing::broadcast(context.committee.n(), broadcast)
    }

    fn consume(self, incoming: &Incoming) -> Result<InputsRound> {
        let committee = self.setup.session.context.committee;
        for party in committee.parties() {
            incoming.no_private(party)?;
            let count = committee.subsets_with(party).len() + committee.n() - 1;
            let tags = incoming.broadcast(party, count * TAG_BYTES)?.as_chunks::<TAG_BYTES>().0;
            for (place, want) in self.expected(party) {
                if tags[place] != *want {
                    let text = format!("key confirmation {place} of the party differs");
                    return Err(Failure::by(Code::KeyConfirmation, party, text));
                }
            }
        }
        Ok(InputsRound { setup: self.setup })
    }
}

fn detail(subset: Subset) -> [u8; 2] {
    subset.0.to_be_bytes()
}

/// The subsets that both parties are in, ascending.
fn shared_subsets(context: &Context, a: usize, b: usize) -> Vec<Subset> {
    let mut subsets = context.committee.subsets_with(a);
    subsets.retain(|subset| subset.contains(b));
    subsets
}

/// HKDF over both contributions, lower index first.
fn pair_key(context: &Context, other: usize, own: &[u8], theirs: &[u8]) -> Zeroizing<[u8; 32]> {
    let (low, high) = (context.index.min(other), context.index.max(other));
    let both =
        Zeroizing::new(if context.index < other { [own, theirs].concat() } else { [theirs, own].concat() });
    context.key(&both, Purpose::PairKey, 0, &[low as u8, high as u8])
}
