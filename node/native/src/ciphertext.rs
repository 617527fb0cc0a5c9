//! Ciphertexts that executors compute on, in one canonical encoding (protocol §8).
//!
//! magic "TLCT"(4) ‖ version 1(1) ‖ fhe type(1) ‖ LWE words, u64 little-endian, block by block, body last. Every value
//! has ceil(bits / 2) blocks of 2049 words and nothing else: parameters, degree and noise level are those of the one
//! parameter set, so a decoded value is conformant by construction, and equal ciphertexts have equal bytes. The
//! crate's own form carries metadata that a host could change, refuses trivial encryptions, and accepts trailing bytes.
//! What the encoding cannot show is under which key the words are: bind them by digest.

use crate::errors::{Code, Failure, Result};
use crate::params::META;
use tfhe::core_crypto::prelude::LweCiphertext;
use tfhe::integer::{BooleanBlock, IntegerCiphertext, RadixCiphertext};
use tfhe::shortint::ciphertext::{Degree, NoiseLevel};
use tfhe::shortint::parameters::CiphertextConformanceParams;

pub type Block = tfhe::shortint::Ciphertext;

const HEADER: [u8; 5] = *b"TLCT\x01";
const HEADER_BYTES: usize = HEADER.len() + 1;
/// Bits of a radix block.
const BLOCK_BITS: usize = 2;
/// Mask words and body of a block.
const BLOCK_WORDS: usize = 2049;
const WORD_BYTES: usize = 8;

/// Codes as in handles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum FheType {
    Bool = 0,
    Uint4 = 1,
    Uint8 = 2,
    Uint16 = 3,
    Uint32 = 4,
    Uint64 = 5,
    Uint128 = 6,
    Uint160 = 7,
    Uint256 = 8,
}

impl FheType {
    pub const ALL: [Self; 9] = [
        Self::Bool,
        Self::Uint4,
        Self::Uint8,
        Self::Uint16,
        Self::Uint32,
        Self::Uint64,
        Self::Uint128,
        Self::Uint160,
        Self::Uint256,
    ];

    /// # Errors
    /// `CIPHERTEXT_TYPE` for an unknown code.
    pub fn from_code(code: u32) -> Result<Self> {
        Self::ALL.into_iter().find(|fhe_type| *fhe_type as u32 == code).ok_or_else(|| {
            Failure::new(Code::CiphertextType, format!("fhe type must be in 0..8, got {code}"))
        })
    }

    pub const fn bits(self) -> usize {
        match self {
            Self::Bool => 1,
            Self::Uint4 => 4,
            Self::Uint8 => 8,
            Self::Uint16 => 16,
            Self::Uint32 => 32,
            Self::Uint64 => 64,
            Self::Uint128 => 128,
            Self::Uint160 => 160,
            Self::Uint256 => 256,
        }
    }

    /// Blocks of the ciphertext before noise squashing.
    pub const fn blocks(self) -> usize {
        self.bits().div_ceil(BLOCK_BITS)
    }

    /// Packed blocks after noise squashing, two radix blocks in each.
    pub const fn packed_blocks(self) -> usize {
        self.blocks().div_ceil(2)
    }

    /// Bytes of the canonical encoding.
    pub const fn encoded_bytes(self) -> usize {
        HEADER_BYTES + self.blocks() * BLOCK_WORDS * WORD_BYTES
    }

    /// Largest value of a block after an operation.
    const fn degree(self) -> u64 {
        match self {
            Self::Bool => 1,
            _ => (1 << BLOCK_BITS) - 1,
        }
    }
}

/// What every block of a ciphertext of type `fhe_type` must look like.
pub fn conformance(fhe_type: FheType) -> CiphertextConformanceParams {
    CiphertextConformanceParams {
        degree: Degree::new(fhe_type.degree()),
        ..META.compute_parameters.to_shortint_conformance_param()
    }
}

/// An encrypted value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ciphertext {
    Bool(BooleanBlock),
    Uint(FheType, RadixCiphertext),
}

impl Ciphertext {
    pub fn fhe_type(&self) -> FheType {
        match self {
            Self::Bool(_) => FheType::Bool,
            Self::Uint(fhe_type, _) => *fhe_type,
        }
    }

    /// From blocks of exactly the number that the type has.
    fn from_blocks(fhe_type: FheType, mut blocks: Vec<Block>) -> Self {
        match fhe_type {
            FheType::Bool => Self::Bool(BooleanBlock::new_unchecked(blocks.swap_remove(0))),
            _ => Self::Uint(fhe_type, RadixCiphertext::from(blocks)),
        }
    }

    fn blocks(&self) -> &[Block] {
        match self {
            Self::Bool(block) => std::slice::from_ref(block.as_ref()),
            Self::Uint(_, radix) => radix.blocks(),
        }
    }

    /// # Errors
    /// `CIPHERTEXT_MALFORMED` unless the bytes are the encoding of some ciphertext.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let malformed = |text: String| Failure::new(Code::CiphertextMalformed, text);
        let (header, words) = bytes
            .split_at_checked(HEADER_BYTES)
            .ok_or_else(|| malformed(format!("ciphertext of {} bytes", bytes.len())))?;
        if header[..HEADER.len()] != HEADER {
            return Err(malformed("unknown magic or version of a ciphertext".into()));
        }
        let fhe_type = FheType::from_code(header[HEADER.len()].into())?;
        if bytes.len() != fhe_type.encoded_bytes() {
            return Err(malformed(format!(
                "{fhe_type:?} has {} bytes, got {}",
                fhe_type.encoded_bytes(),
                bytes.len()
            )));
        }
        let blocks =
            words.chunks_exact(BLOCK_WORDS * WORD_BYTES).map(|block| decode_block(fhe_type, block)).collect();
        Ok(Self::from_blocks(fhe_type, blocks))
    }

    /// # Errors
    /// `NATIVE_INTERNAL` for a value that was left with carries or with more noise than a fresh one.
    pub fn encode(&self) -> Result<Vec<u8>> {
        let fhe_type = self.fhe_type();
        let mut out = Vec::with_capacity(fhe_type.encoded_bytes());
        out.extend_from_slice(&HEADER);
        out.push(fhe_type as u8);
        for block in self.blocks() {
            // lower degree or noise than allowed (trivial blocks) is fine: the reader assumes the maximum
            if block.degree.get() > fhe_type.degree() || block.noise_level() > NoiseLevel::NOMINAL {
                return Err(Failure::new(Code::Internal, "a result is not clean"));
            }
            for word in block.ct.as_ref() {
                out.extend_from_slice(&word.to_le_bytes());
            }
        }
        if out.len() != fhe_type.encoded_bytes() {
            return Err(Failure::new(Code::Internal, "a result has another width than its type"));
        }
        Ok(out)
    }
}

fn decode_block(fhe_type: FheType, bytes: &[u8]) -> Block {
    let form = conformance(fhe_type);
    let words: Vec<u64> = bytes
        .chunks_exact(WORD_BYTES)
        .map(|word| u64::from_le_bytes(word.try_into().expect("chunk of eight bytes")))
        .collect();
    Block::new(
        LweCiphertext::from_container(words, form.ct_params.ct_modulus),
        form.degree,
        form.noise_level,
        form.message_modulus,
        form.carry_modulus,
        form.atomic_pattern,
    )
}
