//! The self-test of a new evaluation key (protocol §4): one computation on two proven bytes in which every part of the key
//! takes part, also those that executors do not use otherwise. Public, and the same bytes on every machine.

use super::inputs::ProofContext;
use super::server_key::{ServerKey, read_compressed};
use crate::ciphertext::{Ciphertext, FheType};
use crate::errors::{Code, Failure, Result};
use crate::squash::squash;
use std::path::Path;
use tfhe::integer::ciphertext::{
    CompressedCiphertextListBuilder, ReRandomizationContext, ReRandomizationKey,
};
use tfhe::integer::compression_keys::{CompressionKey, DecompressionKey};
use tfhe::integer::oprf::OprfServerKey;
use tfhe::integer::prelude::ServerKeyDefaultCMux;
use tfhe::integer::{BooleanBlock, CompactPublicKey, IntegerCiphertext, RadixCiphertext};
use tfhe::{CompressedReRandomizationKey, CompressedServerKey};

/// Wide result: a and b times these, modulo 2^32, so that every block depends on both.
const FACTORS: [u32; 2] = [0x0101_0101, 0x0001_0203];
const NARROW: FheType = FheType::Uint8;
const WIDE: FheType = FheType::Uint32;

/// The parts that serve nothing but this test.
pub struct RareParts {
    compression: CompressionKey,
    decompression: DecompressionKey,
    rerandomisation: CompactPublicKey,
    pseudo_random: OprfServerKey,
}

impl RareParts {
    /// # Errors
    /// `SERVER_KEY_INVALID` where one is missing.
    pub fn of(compressed: CompressedServerKey) -> Result<RareParts> {
        let missing = |what: &str| Failure::new(Code::ServerKey, format!("the server key lacks its {what}"));
        let (_, _, compression, decompression, _, _, rerandomisation, pseudo_random, _) =
            compressed.into_raw_parts();
        let Some(CompressedReRandomizationKey::DerivedCPKWithoutKeySwitch { cpk }) = rerandomisation else {
            return Err(missing("rerandomisation key"));
        };
        Ok(RareParts {
            compression: compression.ok_or_else(|| missing("compression key"))?.decompress(),
            decompression: decompression.ok_or_else(|| missing("decompression key"))?.decompress(),
            rerandomisation: cpk.decompress(),
            pseudo_random: pseudo_random
                .ok_or_else(|| missing("pseudo-random function key"))?
                .expand()
                .to_fourier(),
        })
    }
}

/// Canonical words of a + b modulo 2^8 (raw), then of the wide result (packed). `path` is the file of `key`, `sha256` its
/// digest: the rare parts are read once more, and are to be of the same file.
///
/// # Errors
/// Those of [`ProofContext::verify`]; `SELF_TEST_LIST` for other values than two bytes; `NATIVE_IO`, `SERVER_KEY_INVALID`.
pub fn self_test(
    key: &ServerKey,
    path: &Path,
    sha256: &[u8; 32],
    context: &ProofContext<'_>,
    list: &[u8],
    metadata: &[u8],
) -> Result<Vec<u8>> {
    evaluate(key, &RareParts::of(read_compressed(path, sha256)?)?, context, list, metadata)
}

/// The same with the parts of the file.
pub fn evaluate(
    key: &ServerKey,
    parts: &RareParts,
    context: &ProofContext<'_>,
    list: &[u8],
    metadata: &[u8],
) -> Result<Vec<u8>> {
    let inputs = context.expand(key, list)?;
    let [Ciphertext::Uint(NARROW, a), Ciphertext::Uint(NARROW, b)] = inputs.as_slice() else {
        let types: Vec<FheType> = inputs.iter().map(Ciphertext::fhe_type).collect();
        return Err(Failure::new(Code::SelfTestList, format!("want two uint8 values, got {types:?}")));
    };
    let integers = key.integer();
    let narrow = integers.add_parallelized(a, b);
    let [wide_a, wide_b] = [(a, FACTORS[0]), (b, FACTORS[1])].map(|(value, factor)| {
        let value = integers.cast_to_unsigned(value.clone(), WIDE.blocks());
        integers.scalar_mul_parallelized(&value, factor)
    });
    let wide = integers.add_parallelized(&wide_a, &wide_b);
    let wide = rare_path(key, parts, wide, metadata)?;
    let words = |fhe_type, value| squash(key, &Ciphertext::Uint(fhe_type, value).encode()?, fhe_type);
    Ok([words(NARROW, narrow)?, words(WIDE, wide)?].concat())
}

/// The same value after everything that can be done to it; another one where a pseudo-random value is none.
fn rare_path(
    key: &ServerKey,
    parts: &RareParts,
    value: RadixCiphertext,
    metadata: &[u8],
) -> Result<RadixCiphertext> {
    let integers = key.integer();
    let list = CompressedCiphertextListBuilder::new().push(value).build(&parts.compression);
    let restored: Option<RadixCiphertext> = list.get(0, &parts.decompression).map_err(internal)?;
    let mut value = restored.ok_or_else(|| internal("an empty list"))?;

    let mut seeds = ReRandomizationContext::new(*b"TwinSelf", [metadata], *b"TwinTest");
    seeds.add_ciphertext(&value);
    let seed = seeds.finalize().next_seed().map_err(internal)?;
    let zero = ReRandomizationKey::DerivedCPKWithoutKeySwitch { cpk: &parts.rerandomisation };
    value.re_randomize(zero, seed).map_err(internal)?;

    let blocks = WIDE.blocks() as u64;
    let random =
        parts.pseudo_random.par_generate_oblivious_pseudo_random_unsigned_integer(metadata, blocks, integers);
    let moved = integers.add_parallelized(&value, &random);
    let back = integers.sub_parallelized(&moved, &random);
    Ok(integers.if_then_else_parallelized(&in_range(key, &random), &back, &integers.bitnot(&back)))
}

/// Whether every block is a message without carry, which seven of eight arbitrary phases are not.
fn in_range(key: &ServerKey, value: &RadixCiphertext) -> BooleanBlock {
    let shortint: &tfhe::shortint::ServerKey = key.integer().as_ref();
    let table = shortint.generate_lookup_table(|block| u64::from(block < 4));
    let fits = |block| BooleanBlock::new_unchecked(shortint.apply_lookup_table(block, &table));
    let all = value.blocks().iter().map(fits).reduce(|a, b| key.integer().boolean_bitand(&a, &b));
    all.unwrap_or_else(|| key.integer().create_trivial_boolean_block(false))
}

fn internal(error: impl ToString) -> Failure {
    Failure::new(Code::Internal, error.to_string())
}
