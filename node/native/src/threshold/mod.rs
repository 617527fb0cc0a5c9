//! Threshold decryption (protocol §5): what a party computes with its key share, and how it stores the share.

pub mod seal;
pub mod share;

#[cfg(test)]
mod tests;
