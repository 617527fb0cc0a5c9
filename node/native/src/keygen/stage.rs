//! Where a party stands: the state of the round that it is in, or what lies between two rounds.
use super::layout::Chunk;
use super::message::{Incoming, Outgoing};
use super::rounds::Round;
use super::rounds::bits::{AfterLevel, InputsRound, LevelRound};
use super::rounds::checks::{DegreeRound, ProductRound};
use super::rounds::coin::CoinRound;
use super::rounds::hello::HelloRound;
use super::rounds::prss::{PrssCommitRound, PrssConfirmRound, PrssOpenRound};
use super::rounds::rows::{AfterChunk, CheckedKey, RowCoinRound, RowNoiseRound, RowPointsRound, Rows};
use crate::errors::{Code, Failure, Result};

/// The state between two calls.
pub enum Stage {
    Hello(HelloRound),
    PrssCommit(PrssCommitRound),
    PrssOpen(PrssOpenRound),
    PrssConfirm(PrssConfirmRound),
    Inputs(InputsRound),
    Level(LevelRound),
    Coin(CoinRound),
    DegreePoints(DegreeRound),
    ProductPoints(ProductRound),
    RowNoise(RowNoiseRound),
    RowCoin(RowCoinRound),
    /// Bodies of the key are being taken in.
    Rows(Rows),
    RowPoints(RowPointsRound),
    Done(CheckedKey),
    Gone,
}

impl Stage {
    pub fn produce(&self) -> Result<Outgoing> {
        Ok(match self {
            Stage::Hello(round) => round.produce(),
            Stage::PrssCommit(round) => round.produce(),
            Stage::PrssOpen(round) => round.produce(),
            Stage::PrssConfirm(round) => round.produce(),
            Stage::Inputs(round) => round.produce(),
            Stage::Level(round) => round.produce(),
            Stage::Coin(round) => round.produce(),
            Stage::DegreePoints(round) => round.produce(),
            Stage::ProductPoints(round) => round.produce(),
            Stage::RowNoise(round) => round.produce(),
            Stage::RowCoin(round) => round.produce(),
            Stage::RowPoints(round) => round.produce(),
            Stage::Rows(_) => return Err(missing_chunks()),
            Stage::Done(_) => return Err(Failure::new(Code::RoundOrder, "all rounds are over")),
            Stage::Gone => return Err(gone()),
        })
    }

    pub fn consume(self, incoming: &Incoming) -> Result<Stage> {
        Ok(match self {
            Stage::Hello(round) => Stage::PrssCommit(round.consume(incoming)?),
            Stage::PrssCommit(round) => Stage::PrssOpen(round.consume(incoming)?),
            Stage::PrssOpen(round) => Stage::PrssConfirm(round.consume(incoming)?),
            Stage::PrssConfirm(round) => Stage::Inputs(round.consume(incoming)?),
            Stage::Inputs(round) => Stage::Level(round.consume(incoming)?),
            Stage::Level(round) => match round.consume(incoming)? {
                AfterLevel::Level(next) => Stage::Level(next),
                AfterLevel::Coin(next) => Stage::Coin(next),
            },
            Stage::Coin(round) => Stage::DegreePoints(round.consume(incoming)?),
            Stage::DegreePoints(round) => Stage::ProductPoints(round.consume(incoming)?),
            Stage::ProductPoints(round) => Stage::RowNoise(round.consume(incoming)?),
            Stage::RowNoise(round) => Stage::RowCoin(round.consume(incoming)?),
            Stage::RowCoin(round) => Stage::after_chunk(round.consume(incoming)?.settle()),
            Stage::Rows(_) => return Err(missing_chunks()),
            Stage::RowPoints(round) => Stage::Done(round.consume(incoming)?),
            Stage::Done(_) => return Err(Failure::new(Code::RoundOrder, "all rounds are over")),
            Stage::Gone => return Err(gone()),
        })
    }

    fn after_chunk(after: AfterChunk) -> Stage {
        match after {
            AfterChunk::Rows(rows) => Stage::Rows(rows),
            AfterChunk::Points(round) => Stage::RowPoints(round),
        }
    }

    /// Takes in the next chunk of the key's bodies.
    pub fn absorb(self, chunk: &Chunk, body: &[u8]) -> Stage {
        match self {
            Stage::Rows(rows) => Stage::after_chunk(rows.absorb(chunk, body)),
            other => other,
        }
    }
}

fn missing_chunks() -> Failure {
    Failure::new(Code::RoundOrder, "chunks of the key are still to be taken in")
}

pub fn gone() -> Failure {
    Failure::new(Code::Destroyed, "the ceremony has aborted or was destroyed")
}
