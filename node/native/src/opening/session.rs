//! The opening of one session: all blocks of a ciphertext.
use super::block::Block;
use crate::errors::{Code, Failure, Result};
use crate::ring::element::GR_BYTES;
use crate::ring::{Committee, Gr, Subset};

/// The most packed blocks of a ciphertext.
pub const MAX_BLOCKS: usize = 64;

/// One opening. Holds at most one share per party, and after it has opened only the polynomials.
#[derive(Clone, Debug)]
pub struct Opening {
    committee: Committee,
    heard: Subset,
    blocks: Vec<Block>,
    /// Parties off a polynomial, once open.
    liars: Option<Subset>,
}

/// Errors that may be corrected among `heard` shares, `None` while it is too early (protocol §3).
fn error_budget(heard: usize, t: usize) -> Option<usize> {
    Some(heard.checked_sub(2 * t + 1)?.min(t).min((heard - t - 1) / 2))
}

impl Opening {
    /// # Errors
    /// `NATIVE_CONFIG` for sizes that no committee or ciphertext has.
    pub fn new(n: usize, t: usize, blocks: usize) -> Result<Opening> {
        let committee = Committee::new(n, t)?;
        if !(1..=MAX_BLOCKS).contains(&blocks) {
            return Err(Failure::new(Code::Config, format!("want 1..{MAX_BLOCKS} blocks, got {blocks}")));
        }
        Ok(Opening { committee, heard: Subset(0), blocks: vec![Block::new(n, t); blocks], liars: None })
    }

    /// Takes the first share of a party, 64 bytes per block. The parties that lied, once open; `None` before.
    ///
    /// # Errors
    /// `NATIVE_CONFIG` for a party outside the committee or heard before, `SHARE_MALFORMED` for another length.
    pub fn add(&mut self, party: usize, share: &[u8]) -> Result<Option<Subset>> {
        self.committee.check_index(party)?;
        if self.heard.contains(party) {
            return Err(Failure::new(Code::Config, format!("party {party} was heard before")));
        }
        let (elements, rest) = share.as_chunks::<GR_BYTES>();
        if elements.len() != self.blocks.len() || !rest.is_empty() {
            let want = self.blocks.len() * GR_BYTES;
            let text = format!("want a share of {want} bytes, got {}", share.len());
            return Err(Failure::by(Code::ShareMalformed, party, text));
        }
        self.heard = Subset(self.heard.0 | 1 << (party - 1));
        match &mut self.liars {
            Some(liars) => {
                let late = self.blocks.iter().zip(elements);
                if late.into_iter().any(|(block, bytes)| block.at(party) != Gr::from_bytes(bytes)) {
                    *liars = Subset(liars.0 | 1 << (party - 1));
                }
            }
            None => {
                for (block, bytes) in self.blocks.iter_mut().zip(elements) {
                    block.hear(party, Gr::from_bytes(bytes));
                }
                self.liars = self.try_open();
            }
        }
        Ok(self.liars)
    }

    /// More than t liars in all decide nothing.
    fn try_open(&mut self) -> Option<Subset> {
        let t = self.committee.t();
        let budget = error_budget(self.heard.len(), t)?;
        if !self.blocks.iter_mut().all(|block| block.settle(budget)) {
            return None;
        }
        let liars = Subset(self.blocks.iter().fold(0, |mask, block| mask | block.dropped()));
        if liars.len() > t {
            return None;
        }
        self.blocks.iter_mut().for_each(Block::close);
        Some(liars)
    }

    /// The opened values, 64 bytes per block, or `None` before.
    pub fn values(&self) -> Option<Vec<u8>> {
        self.liars?;
        Some(self.blocks.iter().flat_map(|block| block.at(0).to_bytes()).collect())
    }
}
