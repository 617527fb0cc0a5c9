//! secp256k1 as the chain uses it. Public inputs only: no signing key ever enters.
pub mod recover;
pub mod sum;
#[cfg(test)]
mod tests;
