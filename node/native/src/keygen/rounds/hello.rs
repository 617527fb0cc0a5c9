//! Round `hello`: separate salted commitments to the public seed and the two coins (protocol §4).
use super::super::commitment::{COMMITMENT_BYTES, commit, reveal};
use super::super::context::{Purpose, Session};
use super::super::message::{Incoming, Outgoing};
use super::super::rowcheck::section::Section;
use super::Round;
use super::prss::PrssCommitRound;
use crate::errors::Result;

/// What is committed, in this order.
pub const COMMITTED: [Purpose; 3] = [Purpose::PublicSeed, Purpose::BitCoin, Purpose::RowCoin];

/// Everybody's commitments to the coins, by party; they open after the dealings (coin 1) and the bodies (coin 2).
#[derive(Clone)]
pub struct CoinCommitments {
    pub bit_coin: Vec<[u8; COMMITMENT_BYTES]>,
    pub row_coin: Vec<[u8; COMMITMENT_BYTES]>,
}

pub struct HelloRound {
    session: Session,
    sections: Vec<Section>,
}

impl HelloRound {
    /// `sections` are what the row check will look at.
    pub fn new(session: Session, sections: Vec<Section>) -> HelloRound {
        HelloRound { session, sections }
    }
}

impl Round for HelloRound {
    type Next = PrssCommitRound;

    fn produce(&self) -> Outgoing {
        let context = &self.session.context;
        let commitments =
            COMMITTED.map(|p| commit(context, p, context.index, &[], &reveal(&self.session, p, &[])));
        Outgoing::broadcast(context.committee.n(), commitments.concat())
    }

    fn consume(self, incoming: &Incoming) -> Result<PrssCommitRound> {
        let mut lists = [const { Vec::new() }; COMMITTED.len()];
        for party in self.session.context.committee.parties() {
            incoming.no_private(party)?;
            let bytes = incoming.broadcast(party, COMMITTED.len() * COMMITMENT_BYTES)?;
            for (list, commitment) in lists.iter_mut().zip(bytes.as_chunks::<COMMITMENT_BYTES>().0) {
                list.push(*commitment);
            }
        }
        let [seed_commitments, bit_coin, row_coin] = lists;
        Ok(PrssCommitRound {
            session: self.session,
            sections: self.sections,
            seed_commitments,
            coins: CoinCommitments { bit_coin, row_coin },
        })
    }
}
