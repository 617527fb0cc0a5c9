//! secp256k1 as the chain uses it. `recover` and `sum` take public inputs only; `sign` and `multiple` take secrets, in constant
//! time as k256 states it.
pub mod multiple;
pub mod recover;
pub mod sign;
pub mod sum;
#[cfg(test)]
mod tests;
