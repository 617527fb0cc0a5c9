//! secp256k1 as the chain uses it. Public inputs only: no signing key ever enters.
pub mod recover;
#[cfg(test)]
mod tests;
