//! The rounds, one type per state. A state produces this party's messages and is used up by those of all parties:
//! `hello` → `prss-commit` → `prss-open` → `prss-confirm` → `inputs` → `level-0…` → `coin` → `degree-points` →
//! `product-points` → `row-noise` → contributions → `row-coin` → bodies → `row-points`. Nothing here does I/O; the caller
//! signs, exchanges and echoes every round's broadcasts and hashes of sealed messages before it passes them on, so a coin
//! opens after all that it judges is fixed.
pub mod bits;
pub mod checks;
pub mod coin;
pub mod hello;
pub mod prss;
pub mod rows;

use super::context::Session;
use super::contribution::PairKey;
use super::message::{Incoming, Outgoing};
use super::rowcheck::section::Section;
use crate::errors::Result;
use crate::ring::PrssKeys;

/// One state.
pub trait Round: Sized {
    type Next;

    /// This party's messages: a function of the state, made once.
    fn produce(&self) -> Outgoing;

    /// Checks everybody's messages and moves on.
    ///
    /// # Errors
    /// A typed failure naming the culprits; the ceremony is over then.
    fn consume(self, incoming: &Incoming) -> Result<Self::Next>;
}

/// What the key set-up rounds leave for the rest of the ceremony.
pub struct Setup {
    pub session: Session,
    pub prss: PrssKeys,
    /// Keys shared with each other party, ascending.
    pub pairs: Vec<PairKey>,
    pub public_seed: [u8; 32],
    pub commitments: hello::CoinCommitments,
    /// What the row check looks at.
    pub sections: Vec<Section>,
}
