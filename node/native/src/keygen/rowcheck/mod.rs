//! The row check: random sums of the rows of every part of the key, hidden by shared noise, must be small (protocol §4,
//! docs/keygen.md §6).
//!
//! A sum is V = Σ c·(body − mask · key − message) + g with public weights c (`weights`), so honest bodies make it a sum of
//! noises. The parties deal g (`noise_dealing`, `shared_noise`) and fix the bodies before the coin of the weights opens.
//! Sums of bodies and masks are public and made while chunks stream through (`sums`); each party adds what its shares of
//! key and message make of them (`ring_shares`, `lwe_shares`), and its share of g. All coefficients are opened with all n
//! points, and every one of them and all of a part together must be as small as honest noise is (`verdict`), also as far as
//! sums share rows (`gram`). `section` holds the figures.
pub mod accumulation;
pub mod gram;
pub mod lanes;
pub mod lwe_shares;
pub mod noise_dealing;
pub mod packing;
pub mod ring_shares;
pub mod section;
pub mod shared_noise;
pub mod sums;
pub mod verdict;
pub mod weights;

#[cfg(test)]
mod tests;
