//! What parties exchange in one round: a broadcast and one private message per recipient, with strict lengths.
//!
//! This layer is plaintext; `party` seals private messages before they leave the addon. Bytes of others never cause a
//! panic: every wrong length names its sender.
use crate::errors::{Code, Failure, Result};
use crate::ring::Gr;
use crate::ring::element::GR_BYTES;
use zeroize::Zeroizing;

/// A private message. **Security:** must leave the process only sealed.
pub type Secret = Zeroizing<Vec<u8>>;

/// One party's messages of a round. `private[q - 1]` is for party q, the party itself included.
#[derive(Clone)]
pub struct Outgoing {
    pub broadcast: Vec<u8>,
    pub private: Vec<Option<Secret>>,
}

impl Outgoing {
    /// Only a broadcast.
    pub fn broadcast(n: usize, broadcast: Vec<u8>) -> Outgoing {
        Outgoing { broadcast, private: vec![None; n] }
    }
}

/// All messages of a round that one party has received, by sender, its own included.
pub struct Incoming {
    pub broadcasts: Vec<Vec<u8>>,
    pub private: Vec<Option<Secret>>,
}

impl Incoming {
    /// The broadcast of `party`, which must have exactly `length` bytes.
    ///
    /// # Errors
    /// `KEYGEN_MESSAGE_MALFORMED` naming the party.
    pub fn broadcast(&self, party: usize, length: usize) -> Result<&[u8]> {
        exact(&self.broadcasts[party - 1], length, party, "broadcast")
    }

    /// The private message of `party`, which must have exactly `length` bytes.
    ///
    /// # Errors
    /// `KEYGEN_MESSAGE_MALFORMED` naming the party.
    pub fn private(&self, party: usize, length: usize) -> Result<&[u8]> {
        let message = self.private[party - 1].as_ref().ok_or_else(|| {
            Failure::by(Code::MessageMalformed, party, "a private message is missing in this round")
        })?;
        exact(message, length, party, "private message")
    }

    /// Checks that `party` sent nothing private.
    ///
    /// # Errors
    /// `KEYGEN_MESSAGE_MALFORMED` naming the party.
    pub fn no_private(&self, party: usize) -> Result<()> {
        if self.private[party - 1].is_none() {
            return Ok(());
        }
        Err(Failure::by(Code::MessageMalformed, party, "an unexpected private message in this round"))
    }
}

fn exact<'a>(bytes: &'a [u8], length: usize, party: usize, what: &str) -> Result<&'a [u8]> {
    if bytes.len() == length {
        return Ok(bytes);
    }
    let text = format!("{what} of {} bytes, want {length}", bytes.len());
    Err(Failure::by(Code::MessageMalformed, party, text))
}

/// Appends the encodings of `elements`.
pub fn put_elements(out: &mut Vec<u8>, elements: &[Gr]) {
    for element in elements {
        out.extend_from_slice(&element.to_bytes());
    }
}

/// Ring elements from a whole number of encodings.
pub fn elements(bytes: &[u8]) -> Vec<Gr> {
    bytes.as_chunks::<GR_BYTES>().0.iter().map(Gr::from_bytes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_strict_and_name_the_sender() {
        let incoming = Incoming {
            broadcasts: vec![vec![0; 3], vec![0; 4]],
            private: vec![None, Some(Zeroizing::new(vec![1; 2]))],
        };
        assert!(incoming.broadcast(1, 3).is_ok());
        assert!(incoming.no_private(1).is_ok());
        assert!(incoming.private(2, 2).is_ok());
        let culprits = |failure: Failure| (failure.code, failure.culprits);
        let malformed = |party| (Code::MessageMalformed, vec![party]);
        assert_eq!(incoming.broadcast(2, 3).map_err(culprits), Err(malformed(2)));
        assert_eq!(incoming.private(1, 2).map_err(culprits), Err(malformed(1)));
        assert_eq!(incoming.private(2, 3).map_err(culprits), Err(malformed(2)));
        assert_eq!(incoming.no_private(2).map_err(culprits), Err(malformed(2)));
    }

    #[test]
    fn elements_round_trip() {
        let list = [Gr::ONE, Gr([1, 2, 3, u128::MAX])];
        let mut bytes = Vec::new();
        put_elements(&mut bytes, &list);
        assert_eq!(elements(&bytes), list);
    }
}
