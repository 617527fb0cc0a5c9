//! Dealer-free key generation (protocol §4, docs/keygen.md).
//!
//! `party` drives the typed rounds of `rounds`, which make 17,196 shared and checked bits; `contribution` turns shares
//! into additive contributions to the public bodies of the key, chunk by chunk (`layout`); `rowcheck` tests the sums of
//! these; `assembly` builds tfhe's keys from them. Secret inputs are one root from the operating system and the private messages of others; what
//! leaves are broadcasts, sealed messages and masked contributions. The caller authenticates and echoes all messages.
pub mod assembly;
pub mod combination;
pub mod commitment;
pub mod context;
pub mod contribution;
pub mod dealing;
pub mod layout;
pub mod limits;
pub mod masks;
pub mod message;
pub mod negacyclic;
pub mod noise;
pub mod party;
pub mod rounds;
pub mod row;
pub mod rowcheck;
pub mod stage;
pub mod sum;
pub mod words;

#[cfg(test)]
mod adversary_tests;
#[cfg(test)]
mod ceremony_tests;
#[cfg(test)]
mod contribution_tests;
#[cfg(test)]
mod expected;
#[cfg(test)]
mod figures;
#[cfg(test)]
mod full_size_tests;
#[cfg(test)]
mod leakage;
#[cfg(test)]
mod measure;
#[cfg(test)]
mod misbehaviour_tests;
#[cfg(test)]
mod reuse_tests;
#[cfg(test)]
mod table;
#[cfg(test)]
mod tfhe_gates;
#[cfg(test)]
mod views_tests;
