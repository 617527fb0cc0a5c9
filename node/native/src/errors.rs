//! Typed failures of the native core.
//!
//! They cross into JavaScript as an `Error` whose message is `CODE|culprits|suspects|text` (party indices, comma
//! separated, possibly none); the TypeScript wrapper turns it into a `ProtocolError`. A text names the broken rule and
//! the offending public value, never a secret.
use crate::crs::CrsError;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

/// Closed list of what can go wrong; the strings are stable and safe as metric labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// n, t, index or another configuration value outside the rules of protocol §"Words".
    Config,
    /// A share or key has the wrong length, version or range.
    ShareMalformed,
    /// A method was called out of the order that the ceremony prescribes.
    RoundOrder,
    /// A public or private message of a party is not of the one allowed form.
    MessageMalformed,
    /// A sealed message does not open under this party's ephemeral key.
    SealedBox,
    /// A reveal does not match its commitment.
    CommitmentMismatch,
    /// A member's confirmation of a replicated or pairwise key differs.
    KeyConfirmation,
    /// A dealt batch is not of degree t: the dealer lies, or receivers do.
    DegreeCheck,
    /// The points of the product check do not lie on one polynomial of degree 2t.
    ProductPoints,
    /// The product check does not open to zero: some input is no bit or some product is wrong.
    ProductValue,
    /// The points of a row sum do not lie on one polynomial of the sum's degree.
    RowPoints,
    /// A row sum is larger than the noise of honest rows can make it.
    RowMaximum,
    /// The row sums of a part together are larger than the noise of honest rows can make them.
    RowEnergy,
    RowLikeness,
    /// A chunk index, length or path does not fit the key layout.
    KeyLayout,
    /// The object was destroyed or has aborted; its secrets are gone.
    Destroyed,
    /// An update or state of the CRS is refused.
    Crs(CrsError),
    /// Bytes are not the canonical encoding of a ciphertext.
    CiphertextMalformed,
    /// An unknown type of encrypted value, or another one than asked for.
    CiphertextType,
    /// An operation that no host contract emits.
    Operation,
    /// An input list is too long, not conformant, or holds unsupported types.
    InputList,
    /// The proof of an input list does not hold.
    InputProof,
    /// The list of a self-test holds other values than two bytes.
    SelfTestList,
    /// A server key file is not one of the parameter set, or not the registered one.
    ServerKey,
    /// A public key is not one of the parameter set.
    PublicKey,
    /// Words to decrypt are not whole packed blocks, or too many.
    ShareWords,
    /// A sealed share does not open under this key and context.
    ShareSealed,
    /// Two computations of one decryption share differ: faulty hardware or fault injection.
    ShareFault,
    /// Reading or writing a file failed.
    Io,
    /// The operating system gave no randomness.
    Randomness,
    /// A panic was caught at the boundary: a bug, reported without its text.
    Internal,
}

impl Code {
    /// The stable name, as TypeScript sees it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Code::Config => "NATIVE_CONFIG",
            Code::ShareMalformed => "SHARE_MALFORMED",
            Code::RoundOrder => "KEYGEN_ROUND_ORDER",
            Code::MessageMalformed => "KEYGEN_MESSAGE_MALFORMED",
            Code::SealedBox => "KEYGEN_SEALED_BOX",
            Code::CommitmentMismatch => "KEYGEN_COMMITMENT_MISMATCH",
            Code::KeyConfirmation => "KEYGEN_KEY_CONFIRMATION",
            Code::DegreeCheck => "KEYGEN_DEGREE_CHECK",
            Code::ProductPoints => "KEYGEN_PRODUCT_POINTS",
            Code::ProductValue => "KEYGEN_PRODUCT_VALUE",
            Code::RowPoints => "KEYGEN_ROW_POINTS",
            Code::RowMaximum => "KEYGEN_ROW_MAXIMUM",
            Code::RowEnergy => "KEYGEN_ROW_ENERGY",
            Code::RowLikeness => "KEYGEN_ROW_LIKENESS",
            Code::KeyLayout => "KEYGEN_KEY_LAYOUT",
            Code::Destroyed => "NATIVE_DESTROYED",
            Code::Crs(error) => error.code(),
            Code::CiphertextMalformed => "CIPHERTEXT_MALFORMED",
            Code::CiphertextType => "CIPHERTEXT_TYPE",
            Code::Operation => "OPERATION_INVALID",
            Code::InputList => "INPUT_LIST_MALFORMED",
            Code::InputProof => "INPUT_PROOF_INVALID",
            Code::SelfTestList => "SELF_TEST_LIST",
            Code::ServerKey => "SERVER_KEY_INVALID",
            Code::PublicKey => "PUBLIC_KEY_INVALID",
            Code::ShareWords => "SHARE_WORDS",
            Code::ShareSealed => "SHARE_SEALED",
            Code::ShareFault => "SHARE_FAULT",
            Code::Io => "NATIVE_IO",
            Code::Randomness => "NATIVE_RANDOMNESS",
            Code::Internal => "NATIVE_INTERNAL",
        }
    }
}

/// One failure with the parties it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub code: Code,
    /// Parties proven at fault: indices (1-based), ascending.
    pub culprits: Vec<usize>,
    /// Parties of which at least one is at fault, in the same form.
    pub suspects: Vec<usize>,
    pub text: String,
}

impl Failure {
    /// A failure that names nobody.
    pub fn new(code: Code, text: impl Into<String>) -> Self {
        Failure { code, culprits: Vec::new(), suspects: Vec::new(), text: text.into() }
    }

    /// A failure of one party's message.
    pub fn by(code: Code, party: usize, text: impl Into<String>) -> Self {
        Failure { culprits: vec![party], ..Failure::new(code, text) }
    }

    /// A failure for which at least one of `suspects` is responsible, in whatever order they come.
    pub fn by_one_of(code: Code, mut suspects: Vec<usize>, text: impl Into<String>) -> Self {
        suspects.sort_unstable();
        Failure { suspects, ..Failure::new(code, text) }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |parties: &[usize]| parties.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
        let (culprits, suspects) = (list(&self.culprits), list(&self.suspects));
        write!(f, "{}|{culprits}|{suspects}|{}", self.code.as_str(), self.text)
    }
}

impl std::error::Error for Failure {}

impl From<CrsError> for Failure {
    /// Names nobody: only the caller knows whose message it was.
    fn from(error: CrsError) -> Self {
        Failure::new(Code::Crs(error), error.to_string())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Failure::new(Code::Io, error.to_string())
    }
}

impl From<getrandom::Error> for Failure {
    fn from(error: getrandom::Error) -> Self {
        Failure::new(Code::Randomness, error.to_string())
    }
}

pub type Result<T> = std::result::Result<T, Failure>;

/// Runs `work` and turns a panic into `NATIVE_INTERNAL` without its text: one that reached libuv would abort the process.
pub fn catch<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    silence_panics();
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Failure::new(Code::Internal, "internal panic")))
}

/// The default hook prints panic messages, which may hold values near a secret: only the place is printed.
fn silence_panics() {
    static ONCE: Once = Once::new();
    if cfg!(test) {
        return; // a failing test shall print its message
    }
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            if let Some(place) = info.location() {
                eprintln!("twinlock-native: panic at {}:{}", place.file(), place.line());
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_prints_code_culprits_suspects_and_text() {
        let failure = Failure::by_one_of(Code::DegreeCheck, vec![3, 1], "dealer 1 or receiver 3");
        assert_eq!(failure.to_string(), "KEYGEN_DEGREE_CHECK||1,3|dealer 1 or receiver 3");
        assert_eq!(Failure::by(Code::SealedBox, 2, "shut").to_string(), "KEYGEN_SEALED_BOX|2||shut");
        assert_eq!(Failure::new(Code::Io, "gone").to_string(), "NATIVE_IO|||gone");
    }

    #[test]
    fn a_panic_becomes_a_failure_without_its_text() {
        let failure = catch::<()>(|| std::panic::panic_any("secret value")).unwrap_err();
        assert_eq!(failure.to_string(), "NATIVE_INTERNAL|||internal panic");
    }
}
