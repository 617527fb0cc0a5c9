//! Round `coin`: the first coin opens, after all dealings were echoed (docs/keygen.md §5).
use super::super::commitment::{REVEAL_BYTES, check, combine, reveal};
use super::super::context::Purpose;
use super::super::message::{Incoming, Outgoing};
use super::bits::Dealings;
use super::checks::DegreeRound;
use super::{Round, Setup};
use crate::errors::Result;

pub struct CoinRound {
    pub(crate) setup: Setup,
    pub(crate) dealings: Dealings,
}

impl Round for CoinRound {
    type Next = DegreeRound;

    fn produce(&self) -> Outgoing {
        let session = &self.setup.session;
        let coin = reveal(session, Purpose::BitCoin, &[]);
        Outgoing::broadcast(session.context.committee.n(), coin.to_vec())
    }

    fn consume(self, incoming: &Incoming) -> Result<DegreeRound> {
        let context = &self.setup.session.context;
        let mut reveals = Vec::new();
        for party in context.committee.parties() {
            incoming.no_private(party)?;
            let coin = incoming.broadcast(party, REVEAL_BYTES)?;
            let commitment = &self.setup.commitments.bit_coin[party - 1];
            check(context, Purpose::BitCoin, party, &[], coin, commitment)?;
            reveals.push(coin);
        }
        let coin = combine(context, Purpose::BitCoin, "", &reveals);
        Ok(DegreeRound { setup: self.setup, dealings: self.dealings, coin })
    }
}
