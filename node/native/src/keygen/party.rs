//! One party of a ceremony: drives the rounds in order and seals every private message to its receiver.
//!
//! **Security:** plaintext private messages exist only inside this type. A failed round ends the ceremony: its secrets are
//! wiped and every later call is refused, so nothing is ever resumed (docs/keygen.md §2). The root alone stays until
//! `destroy`, for the replay of a key that is discarded; the caller destroys the party before it signs for the key.
use super::context::{Context, Purpose, Root, Session};
use super::contribution::Contributor;
use super::layout::Chunk;
use super::limits::{Limits, round_limits};
use super::message::{Incoming, Outgoing, Secret};
use super::rounds::hello::HelloRound;
use super::rounds::rows::CheckedKey;
use super::rowcheck::section::{Section, whole_key};
use super::stage::{Stage, gone};
use crate::errors::{Code, Failure, Result};
use crate::params::{KEY_BITS, Secret as KeySecret};
use crate::ring::KeyShare;
use crate::sealed_box::{PUBLIC_KEY_BYTES, PublicKey, RANDOMNESS_BYTES, SecretKey};
use std::sync::Arc;
use zeroize::Zeroizing;

const SEALED_TAG: &[u8] = b"twinlock/ceremony/sealed/v1";

/// Names of the rounds of a committee of `n`, in order.
pub fn round_names(n: usize) -> Vec<String> {
    let levels = n.next_power_of_two().trailing_zeros();
    let before = ["hello", "prss-commit", "prss-open", "prss-confirm", "inputs"];
    let after = ["coin", "degree-points", "product-points", "row-noise", "row-coin", "row-points"];
    let mut names: Vec<String> = before.map(String::from).to_vec();
    names.extend((0..levels).map(|level| format!("level-{level}")));
    names.extend(after.map(String::from));
    names
}

/// One round's messages as they leave: `sealed[q - 1]` for party q, nothing for the party itself.
pub struct Sent {
    pub broadcast: Vec<u8>,
    pub sealed: Vec<Option<Vec<u8>>>,
}

/// What the row check of a party covers.
fn sections(makes_key: bool) -> Vec<Section> {
    if makes_key { whole_key() } else { Vec::new() }
}

/// See the module.
pub struct Party {
    context: Context,
    makes_key: bool,
    /// Until `destroy`.
    root: Option<Root>,
    key: SecretKey,
    /// Everybody's keys, once `hello` is over.
    recipients: Vec<PublicKey>,
    stage: Stage,
    round: usize,
    public_seed: Option<[u8; 32]>,
    /// Own broadcast and own private message of the current round, once produced.
    produced: Option<(Vec<u8>, Option<Secret>)>,
}

impl Party {
    /// A party that makes a key, all rows of which are checked.
    pub fn new(context: Context, root: Root) -> Party {
        Party::starting(context, root, true)
    }

    /// For tests: the same rounds with any number of bits, and no rows to check. Such a party gives out no key.
    pub fn rehearsal(context: Context, root: Root) -> Party {
        Party::starting(context, root, false)
    }

    fn starting(context: Context, root: Root, makes_key: bool) -> Party {
        let sections = sections(makes_key);
        let key = SecretKey::from_seed(root.key(&context, Purpose::EphemeralKey, 0, &[]));
        let stage = Stage::Hello(HelloRound::new(Session { context, root: root.clone() }, sections));
        Party {
            context,
            makes_key,
            root: Some(root),
            key,
            recipients: Vec::new(),
            stage,
            round: 0,
            public_seed: None,
            produced: None,
        }
    }

    pub fn rounds(&self) -> Vec<String> {
        round_names(self.context.committee.n())
    }

    /// By round, how long its messages are: known from the start.
    pub fn limits(&self) -> Vec<Limits> {
        round_limits(&self.context, &sections(self.makes_key))
    }

    /// This party's messages of `round`, once per round: a function of its root and of what it consumed.
    ///
    /// # Errors
    /// `KEYGEN_ROUND_ORDER`, `NATIVE_DESTROYED`.
    pub fn produce(&mut self, round: usize) -> Result<Sent> {
        if matches!(self.stage, Stage::Gone) {
            return Err(gone());
        }
        if round != self.round || self.produced.is_some() {
            let text = format!("round {} is to be produced once, got {round}", self.round);
            return Err(Failure::new(Code::RoundOrder, text));
        }
        let Outgoing { mut broadcast, mut private } = self.stage.produce()?;
        let me = self.context.index;
        if round == 0 {
            broadcast.extend(self.key.public_key_bytes());
        }
        let own = private[me - 1].take();
        let mut sealed = Vec::new();
        for (q, message) in private.into_iter().enumerate() {
            sealed.push(match message {
                Some(message) => {
                    let randomness = self.sealing_randomness(q + 1)?;
                    let context = self.sealing_context(me, q + 1);
                    Some(self.recipients[q].seal(&context, &message, &randomness)?)
                }
                None => None,
            });
        }
        self.produced = Some((broadcast.clone(), own));
        Ok(Sent { broadcast, sealed })
    }

    /// Takes everybody's messages of `round`: broadcasts by party (the own one included), sealed messages to this party.
    /// After a failure the ceremony is over.
    ///
    /// # Errors
    /// Those of the rounds, naming culprits; `KEYGEN_SEALED_BOX`, `KEYGEN_ROUND_ORDER`, `NATIVE_DESTROYED`.
    pub fn consume(
        &mut self,
        round: usize,
        broadcasts: Vec<Vec<u8>>,
        sealed: Vec<Option<Vec<u8>>>,
    ) -> Result<()> {
        let n = self.context.committee.n();
        if matches!(self.stage, Stage::Gone) {
            return Err(gone());
        }
        let Some((own_broadcast, own_message)) = self.produced.take_if(|_| round == self.round) else {
            let text = format!("round {} is to be produced first, got {round}", self.round);
            return Err(Failure::new(Code::RoundOrder, text));
        };
        let stage = std::mem::replace(&mut self.stage, Stage::Gone);
        let me = self.context.index;
        if broadcasts.len() != n || sealed.len() != n || broadcasts[me - 1] != own_broadcast {
            let text = format!("want {n} broadcasts, the own one unchanged, and {n} sealed messages");
            return Err(Failure::new(Code::RoundOrder, text));
        }
        let mut incoming = Incoming { private: self.open_all(sealed, own_message)?, broadcasts };
        if round == 0 {
            self.recipients = split_keys(&mut incoming)?;
        }
        self.stage = stage.consume(&incoming)?;
        if let Stage::PrssConfirm(round) = &self.stage {
            self.public_seed = Some(round.public_seed());
        }
        self.round += 1;
        Ok(())
    }

    fn open_all(&self, sealed: Vec<Option<Vec<u8>>>, mut own: Option<Secret>) -> Result<Vec<Option<Secret>>> {
        let me = self.context.index;
        let mut private = Vec::new();
        for (p, message) in sealed.into_iter().enumerate() {
            let from = p + 1;
            private.push(match message {
                _ if from == me => own.take(),
                None => None,
                Some(message) => {
                    let opened = self.key.open(&self.sealing_context(from, me), &message);
                    Some(opened.map_err(|failure| Failure { culprits: vec![from], ..failure })?)
                }
            });
        }
        Ok(private)
    }

    /// Of the one box to `receiver` in this round.
    fn sealing_randomness(&self, receiver: usize) -> Result<Zeroizing<[u8; RANDOMNESS_BYTES]>> {
        let root = self.root.as_ref().ok_or_else(gone)?;
        let mut randomness = Zeroizing::new([0; RANDOMNESS_BYTES]);
        for (half, out) in randomness.as_chunks_mut::<32>().0.iter_mut().enumerate() {
            let place = [self.round as u8, receiver as u8, half as u8];
            out.copy_from_slice(root.key(&self.context, Purpose::SealingRandomness, 0, &place).as_ref());
        }
        Ok(randomness)
    }

    fn sealing_context(&self, from: usize, to: usize) -> Vec<u8> {
        let place = [self.round as u8, from as u8, to as u8];
        let hash = self.context.hash(Purpose::SealedMessage, &[&place]);
        [SEALED_TAG, &hash].concat()
    }

    /// The public seed of the masks; it stays known after the secrets are gone.
    ///
    /// # Errors
    /// `KEYGEN_ROUND_ORDER` before the seeds are revealed.
    pub fn public_seed(&self) -> Result<[u8; 32]> {
        self.public_seed.ok_or_else(|| Failure::new(Code::RoundOrder, "the seed is not revealed yet"))
    }

    /// What contributions are made from: between the rounds `row-noise` and `row-coin`.
    ///
    /// # Errors
    /// `KEYGEN_ROUND_ORDER`, `NATIVE_DESTROYED`, `NATIVE_CONFIG` in a rehearsal.
    pub fn contributor(&self) -> Result<Arc<Contributor>> {
        match &self.stage {
            Stage::RowCoin(round) => {
                self.expect_key()?;
                Ok(Arc::clone(&round.before.contributor))
            }
            Stage::Gone => Err(gone()),
            _ => Err(Failure::new(Code::RoundOrder, "contributions are made before the rows' coin opens")),
        }
    }

    /// Takes in the summed body of the next chunk: between the rounds `row-coin` and `row-points`.
    ///
    /// # Errors
    /// `KEYGEN_KEY_LAYOUT` for another chunk than the next one, `KEYGEN_ROUND_ORDER`, `NATIVE_DESTROYED`.
    pub fn absorb(&mut self, chunk: &Chunk, body: &[u8]) -> Result<()> {
        match &self.stage {
            Stage::Rows(rows) => rows.expect(chunk, body)?,
            Stage::Gone => return Err(gone()),
            _ => {
                return Err(Failure::new(
                    Code::RoundOrder,
                    "chunks are taken in once the rows' coin is open",
                ));
            }
        }
        self.stage = std::mem::replace(&mut self.stage, Stage::Gone).absorb(chunk, body);
        Ok(())
    }

    /// The root, sealed for storage, whatever became of the rounds.
    ///
    /// # Errors
    /// `NATIVE_DESTROYED`, `NATIVE_RANDOMNESS`.
    pub fn seal_root(&self, key: &[u8; 32], context: &[u8]) -> Result<Vec<u8>> {
        self.root.as_ref().ok_or_else(gone)?.seal(key, context)
    }

    /// Keeps the shares of the decryption keys and the replicated keys; everything else but the root is wiped.
    ///
    /// # Errors
    /// `KEYGEN_ROUND_ORDER` before the rows have passed, `NATIVE_DESTROYED`, `NATIVE_CONFIG` in a rehearsal.
    pub fn finish(&mut self) -> Result<KeyShare> {
        match &self.stage {
            Stage::Done(_) => self.expect_key()?,
            Stage::Gone => return Err(gone()),
            _ => return Err(Failure::new(Code::RoundOrder, "the checks have not passed yet")),
        }
        let Stage::Done(CheckedKey { contributor, prss }) = std::mem::replace(&mut self.stage, Stage::Gone)
        else {
            return Err(gone());
        };
        let shares = contributor.shares();
        let ns = shares[KeySecret::Ns.range()].to_vec();
        let nsc = shares[KeySecret::Nsc.range()].to_vec();
        KeyShare::new(ns, nsc, prss)
    }

    fn expect_key(&self) -> Result<()> {
        if self.makes_key && self.context.bits == KEY_BITS {
            return Ok(());
        }
        let text = format!("a key has {KEY_BITS} bits and checked rows: this is a rehearsal");
        Err(Failure::new(Code::Config, text))
    }

    /// Wipes everything.
    pub fn destroy(&mut self) {
        self.stage = Stage::Gone;
        self.root = None;
        self.produced = None;
        self.key = SecretKey::from_seed(Zeroizing::new([0; 32]));
    }
}

/// Takes the sealing keys off the end of the `hello` broadcasts.
fn split_keys(incoming: &mut Incoming) -> Result<Vec<PublicKey>> {
    let mut keys = Vec::new();
    for (p, broadcast) in incoming.broadcasts.iter_mut().enumerate() {
        let start = broadcast.len().saturating_sub(PUBLIC_KEY_BYTES);
        let key = PublicKey::from_bytes(&broadcast[start..])
            .map_err(|failure| Failure { culprits: vec![p + 1], ..failure })?;
        keys.push(key);
        broadcast.truncate(start);
    }
    Ok(keys)
}
