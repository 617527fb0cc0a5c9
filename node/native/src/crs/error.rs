//! Why an update or a string is refused. Each code has a test of its own.

use core::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrsError {
    /// Not exactly the length that the parameters fix.
    Length,
    /// Unknown magic or version.
    Header,
    /// Made for another ceremony, round or party.
    Context,
    /// Does not continue the state that the verifier holds.
    Previous,
    /// A coordinate is not below p, or a scalar not below the group order.
    Encoding,
    /// The position n+1 is not zero.
    Gap,
    /// The first element is zero: the factor was 0.
    FirstZero,
    /// The first element did not change: the factor was 1.
    Unchanged,
    /// The proof's commitment or the first element lies outside the group.
    ProofPoint,
    /// The proof of knowledge does not hold for this context and list.
    Proof,
    /// A point is not on its curve.
    Curve,
    /// A point is outside the subgroup of prime order.
    Subgroup,
    /// The lists are not the powers of one value.
    Powers,
    /// A party contributes twice, or has no index.
    Order,
    /// The assembled string fails the tfhe crate's own checks.
    Unusable,
}

impl CrsError {
    pub const fn code(self) -> &'static str {
        match self {
            Self::Length => "CRS_LENGTH",
            Self::Header => "CRS_HEADER",
            Self::Context => "CRS_CONTEXT",
            Self::Previous => "CRS_PREVIOUS",
            Self::Encoding => "CRS_ENCODING",
            Self::Gap => "CRS_GAP",
            Self::FirstZero => "CRS_FIRST_ZERO",
            Self::Unchanged => "CRS_UNCHANGED",
            Self::ProofPoint => "CRS_PROOF_POINT",
            Self::Proof => "CRS_PROOF",
            Self::Curve => "CRS_CURVE",
            Self::Subgroup => "CRS_SUBGROUP",
            Self::Powers => "CRS_POWERS",
            Self::Order => "CRS_ORDER",
            Self::Unusable => "CRS_UNUSABLE",
        }
    }
}

impl fmt::Display for CrsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Length => "the length is not the one that the parameters fix",
            Self::Header => "unknown magic or version",
            Self::Context => "made for another ceremony, round or party",
            Self::Previous => "does not continue the expected state",
            Self::Encoding => "a coordinate or scalar is not canonical",
            Self::Gap => "the element at position n+1 is not zero",
            Self::FirstZero => "the first element is zero",
            Self::Unchanged => "the first element did not change",
            Self::ProofPoint => "a point of the proof of knowledge lies outside the group",
            Self::Proof => "the proof of knowledge does not verify",
            Self::Curve => "a point is not on the curve",
            Self::Subgroup => "a point is outside the subgroup of prime order",
            Self::Powers => "the lists are not the powers of one value",
            Self::Order => "parties have indices from one and none may contribute twice",
            Self::Unusable => "the assembled string fails the checks of the tfhe crate",
        })
    }
}

impl std::error::Error for CrsError {}
