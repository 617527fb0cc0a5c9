//! Threshold decryption (protocol §5): what a party computes with its key share, and how it stores the share.

pub mod batch;
mod fault;
mod mask_keys;
mod packed_form;
mod raw_form;
pub mod seal;
pub mod share;

#[cfg(test)]
pub(crate) mod leakage;
#[cfg(test)]
mod tests;
