//! The finished string in the tfhe crate's form: 4,571,368 bytes, what clients prove under (docs/crs.md).

use super::error::CrsError;
use super::parameters::CrsParameters;
use super::verify::{CheckedState, check_state};
use sha3::Shake256;
use sha3::digest::{ExtendableOutput, Update, XofReader};
use tfhe::safe_serialization::{safe_deserialize, safe_serialize};
use tfhe::zk::CompactPkeCrs;
use tfhe_zk_pok::curve_api::Bls12_446;
use tfhe_zk_pok::proofs::pke_v2::{Bound, PublicParams};

/// Domain separators of the proof system's hashes: fixed and distinct, so that there is nothing to grind.
const TAGS: [&[u8; 8]; 11] = [
    b"TL/hash_",
    b"TL/R____",
    b"TL/t____",
    b"TL/w____",
    b"TL/agg__",
    b"TL/lmap_",
    b"TL/phi__",
    b"TL/xi___",
    b"TL/z____",
    b"TL/chi__",
    b"TL/gamma",
];

/// Bytes of a serialised string: its parameters fix them.
pub const CRS_BYTES: usize = 4_571_368;

/// The lists are not hashed into proofs, only this identifier and the tags are: so it binds the whole ceremony.
fn session_identifier(transcript: &[u8; 32]) -> u128 {
    let mut hash = Shake256::default();
    hash.update(b"twinlock/crs/sid/v1");
    hash.update(transcript);
    let mut bytes = [0; 16];
    hash.finalize_xof().read(&mut bytes);
    u128::from_le_bytes(bytes)
}

/// Checks the final state and serialises it as the crate's `CompactPkeCrs`.
///
/// `transcript` is the digest over all state digests of the ceremony, from the start state on. A fixed state and
/// transcript give fixed bytes. The crate's own checks of the file would add nothing for three seconds of two cores: they
/// look at every point by itself, as [`check_state`] did, and see no wrong power.
///
/// # Errors
/// Those of [`check_state`], [`CrsError::Unusable`] as [`serialise`].
pub fn assemble(
    parameters: &CrsParameters,
    state: &[u8],
    transcript: &[u8; 32],
) -> Result<Vec<u8>, CrsError> {
    serialise(parameters, check_state(parameters, state)?, transcript)
}

/// The file of a state that was checked.
///
/// # Errors
/// [`CrsError::Unusable`] where it has another length than files of these parameters.
pub fn serialise(
    parameters: &CrsParameters,
    lists: CheckedState,
    transcript: &[u8; 32],
) -> Result<Vec<u8>, CrsError> {
    let [hash, r, t, w, agg, lmap, phi, xi, z, chi, gamma] = TAGS.map(|tag| *tag);
    let public_parameters = PublicParams::<Bls12_446>::from_vec(
        lists.g,
        lists.h,
        parameters.d,
        parameters.k,
        parameters.noise_bound,
        parameters.q,
        parameters.t,
        parameters.padding_bits(),
        Bound::CS,
        session_identifier(transcript),
        hash,
        r,
        t,
        w,
        agg,
        lmap,
        phi,
        xi,
        z,
        chi,
        gamma,
    );
    let crs: CompactPkeCrs = public_parameters.into();
    let mut bytes = Vec::with_capacity(CRS_BYTES);
    safe_serialize(&crs, &mut bytes, CRS_BYTES as u64).map_err(|_| CrsError::Unusable)?;
    Ok(bytes)
}

/// Reads an assembled string. Its points are NOT checked: the caller compares the digest of the bytes with the
/// registered one.
///
/// # Errors
/// [`CrsError::Length`]; [`CrsError::Unusable`] for other parameters than those of Twinlock keys.
pub fn read_crs(bytes: &[u8]) -> Result<CompactPkeCrs, CrsError> {
    if bytes.len() != CRS_BYTES {
        return Err(CrsError::Length);
    }
    let mut rest = bytes;
    let crs = safe_deserialize(&mut rest, CRS_BYTES as u64).map_err(|_| CrsError::Unusable)?;
    let CompactPkeCrs::PkeV2(found) = &crs else { return Err(CrsError::Unusable) };
    let want = CrsParameters::production();
    let same = found.d == want.d
        && found.k == want.k
        && found.n == want.n
        && found.B_inf == want.noise_bound
        && found.B_bound_squared == want.bound_squared
        && found.q == want.q
        && found.t == want.t
        && found.msbs_zero_padding_bit_count == want.padding_bits()
        && found.bound_type == Bound::CS;
    if same && rest.is_empty() { Ok(crs) } else { Err(CrsError::Unusable) }
}
