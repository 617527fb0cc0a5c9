//! Key generation as JavaScript sees it. Private messages cross this boundary only sealed, shares not at all.

use super::task::{Work, background};
use super::threshold::KeyShare;
use super::{exactly, guard};
use crate::errors::{Code, Failure, Result};
use crate::keygen::assembly::public_key;
use crate::keygen::assembly::server_key_file::{self, Written};
use crate::keygen::context::{Context, Root};
use crate::keygen::layout;
use crate::keygen::limits::Limits;
use crate::keygen::party::{Party, Sent};
use crate::keygen::sum;
use crate::params::KEY_BITS;
use crate::ring::Committee;
use napi::bindgen_prelude::{AsyncTask, Uint8Array};
use napi_derive::napi;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};
use zeroize::Zeroizing;

#[napi(object)]
pub struct CeremonyConfig {
    pub ceremony_id: Uint8Array,
    pub attempt: u32,
    pub n: u32,
    pub t: u32,
    pub index: u32,
    /// Tests only: a rehearsal with so many shared bits, of which no key comes.
    pub bits: Option<u32>,
}

#[napi(object)]
pub struct RoundMessages {
    pub broadcast: Uint8Array,
    pub sealed: Vec<Option<Uint8Array>>,
}

#[napi(object)]
pub struct RoundLimits {
    pub broadcast: u32,
    pub sealed: u32,
}

impl From<Limits> for RoundLimits {
    fn from(limits: Limits) -> Self {
        RoundLimits { broadcast: limits.broadcast as u32, sealed: limits.sealed as u32 }
    }
}

impl From<Sent> for RoundMessages {
    fn from(sent: Sent) -> Self {
        RoundMessages {
            broadcast: sent.broadcast.into(),
            sealed: sent.sealed.into_iter().map(|message| message.map(Uint8Array::from)).collect(),
        }
    }
}

/// One party of one attempt. Its secrets stay in Rust and are wiped when it is destroyed, fails or is collected.
#[napi]
pub struct CeremonyParty {
    party: Arc<Mutex<Party>>,
    rounds: Vec<String>,
    limits: Vec<Limits>,
}

impl CeremonyParty {
    fn wrap(party: Party) -> Self {
        let (rounds, limits) = (party.rounds(), party.limits());
        CeremonyParty { rounds, limits, party: Arc::new(Mutex::new(party)) }
    }

    fn lock(&self) -> Result<MutexGuard<'_, Party>> {
        match self.party.try_lock() {
            Ok(party) => Ok(party),
            Err(TryLockError::WouldBlock) => {
                Err(Failure::new(Code::RoundOrder, "a round is still being computed"))
            }
            Err(TryLockError::Poisoned(_)) => Err(poisoned()),
        }
    }
}

fn poisoned() -> Failure {
    Failure::new(Code::Destroyed, "the ceremony ended in an internal panic")
}

impl CeremonyConfig {
    fn context(&self) -> Result<Context> {
        let committee = Committee::new(self.n as usize, self.t as usize)?;
        let bits = self.bits.map_or(KEY_BITS, |bits| bits as usize);
        if bits == 0 || bits > KEY_BITS {
            let text = format!("shared bits must be in 1..{KEY_BITS}, got {bits}");
            return Err(Failure::new(Code::Config, text));
        }
        Ok(Context {
            committee,
            index: committee.check_index(self.index as usize)?,
            ceremony_id: exactly("ceremonyId", &self.ceremony_id)?,
            attempt: self.attempt,
            bits,
        })
    }

    /// Makes a key, unless a toy number of bits is configured.
    fn party(&self, root: Root) -> Result<Party> {
        let context = self.context()?;
        Ok(match self.bits {
            None => Party::new(context, root),
            Some(_) => Party::rehearsal(context, root),
        })
    }
}

#[napi]
impl CeremonyParty {
    #[napi(constructor, catch_unwind)]
    pub fn new(config: CeremonyConfig) -> napi::Result<Self> {
        guard(|| {
            let root = Root::from_os()?;
            Ok(Self::wrap(config.party(root)?))
        })
    }

    /// A party of a discarded ceremony, from the root that it revealed.
    #[napi(factory, catch_unwind)]
    pub fn replay(config: CeremonyConfig, root: Uint8Array) -> napi::Result<Self> {
        guard(|| {
            let root = Root::from_bytes(exactly("root", &root)?);
            Ok(Self::wrap(config.party(root)?))
        })
    }

    #[napi(catch_unwind)]
    pub fn seal_root(&self, key: Uint8Array, context: Uint8Array) -> napi::Result<Uint8Array> {
        guard(|| {
            let key = Zeroizing::new(exactly("key", &key)?);
            Ok(self.lock()?.seal_root(&key, &context)?.into())
        })
    }

    #[napi]
    pub fn rounds(&self) -> Vec<String> {
        self.rounds.clone()
    }

    /// By round: how long its messages are.
    #[napi]
    pub fn limits(&self) -> Vec<RoundLimits> {
        self.limits.iter().map(|&limits| limits.into()).collect()
    }

    #[napi(catch_unwind)]
    pub fn produce(&self, round: u32) -> AsyncTask<Work<Sent, RoundMessages>> {
        let party = Arc::clone(&self.party);
        background(RoundMessages::from, move || party.lock().map_err(|_| poisoned())?.produce(round as usize))
    }

    #[napi(catch_unwind)]
    pub fn consume(
        &self,
        round: u32,
        broadcasts: Vec<Uint8Array>,
        sealed: Vec<Option<Uint8Array>>,
    ) -> AsyncTask<Work<(), ()>> {
        let party = Arc::clone(&self.party);
        let broadcasts = broadcasts.iter().map(|message| message.to_vec()).collect();
        let sealed = sealed.iter().map(|message| message.as_ref().map(|m| m.to_vec())).collect();
        background(
            |()| (),
            move || party.lock().map_err(|_| poisoned())?.consume(round as usize, broadcasts, sealed),
        )
    }

    #[napi(catch_unwind)]
    pub fn public_seed(&self) -> napi::Result<Uint8Array> {
        guard(|| Ok(self.lock()?.public_seed()?.to_vec().into()))
    }

    #[napi(catch_unwind)]
    pub fn contribution(&self, chunk: u32) -> napi::Result<AsyncTask<Work<Vec<u8>, Uint8Array>>> {
        let contributor = guard(|| self.lock()?.contributor())?;
        Ok(background(
            Uint8Array::from,
            move || Ok(contributor.contribution(&layout::chunk(chunk as usize)?)),
        ))
    }

    #[napi(catch_unwind)]
    pub fn absorb(&self, chunk: u32, body: Uint8Array) -> AsyncTask<Work<(), ()>> {
        let party = Arc::clone(&self.party);
        let body = body.to_vec();
        background(
            |()| (),
            move || {
                let chunk = layout::chunk(chunk as usize)?;
                party.lock().map_err(|_| poisoned())?.absorb(&chunk, &body)
            },
        )
    }

    #[napi(catch_unwind)]
    pub fn finish(&self) -> napi::Result<KeyShare> {
        guard(|| Ok(KeyShare::wrap(self.lock()?.finish()?)))
    }

    /// Waits for a round that is being computed.
    #[napi(catch_unwind)]
    pub fn destroy(&self) {
        match self.party.lock() {
            Ok(mut party) => party.destroy(),
            Err(poisoned) => poisoned.into_inner().destroy(),
        }
    }
}

/// Opens a sealed root, to reveal it.
#[napi(catch_unwind)]
pub fn unseal_root(sealed: Uint8Array, key: Uint8Array, context: Uint8Array) -> napi::Result<Uint8Array> {
    guard(|| {
        let key = Zeroizing::new(exactly("key", &key)?);
        Ok(Root::unseal(&sealed, &key, &context)?.to_vec().into())
    })
}

#[napi(object)]
pub struct KeyChunk {
    pub index: u32,
    pub part: String,
    pub words: u32,
    pub word_bytes: u32,
    pub byte_length: u32,
}

#[napi(object)]
pub struct KeyLayout {
    pub chunks: Vec<KeyChunk>,
    pub byte_length: u32,
}

#[napi]
pub fn key_layout() -> KeyLayout {
    let chunks: Vec<KeyChunk> = layout::chunks()
        .into_iter()
        .map(|chunk| KeyChunk {
            index: chunk.index as u32,
            part: chunk.part.part().name.to_string(),
            words: chunk.words() as u32,
            word_bytes: chunk.part.part().word_bytes() as u32,
            byte_length: chunk.byte_length() as u32,
        })
        .collect();
    KeyLayout { byte_length: chunks.iter().map(|chunk| chunk.byte_length).sum(), chunks }
}

#[napi(catch_unwind)]
pub fn add_into(mut accumulator: Uint8Array, contribution: Uint8Array, word_bytes: u32) -> napi::Result<()> {
    // SAFETY: this runs on the JavaScript thread and nothing else reads or writes the buffer until it returns; where both
    // arguments are views of one buffer the contribution is copied first.
    let contribution = contribution.to_vec();
    let accumulator = unsafe { accumulator.as_mut() };
    guard(|| sum::add_into(accumulator, &contribution, word_bytes as usize))
}

#[napi(object)]
pub struct WrittenFile {
    pub sha256: Uint8Array,
    pub byte_length: u32,
}

#[napi(catch_unwind)]
pub fn assemble_server_key(
    public_seed: Uint8Array,
    chunk_paths: Vec<String>,
    out_path: String,
) -> napi::Result<AsyncTask<Work<Written, WrittenFile>>> {
    let seed = guard(|| exactly("publicSeed", &public_seed))?;
    let paths: Vec<PathBuf> = chunk_paths.into_iter().map(PathBuf::from).collect();
    Ok(background(
        |written: Written| WrittenFile {
            sha256: written.sha256.to_vec().into(),
            byte_length: written.byte_length as u32,
        },
        move || server_key_file::assemble_server_key(&seed, &paths, &PathBuf::from(out_path)),
    ))
}

#[napi(catch_unwind)]
pub fn assemble_public_key(public_seed: Uint8Array, cpk_chunk: Uint8Array) -> napi::Result<Uint8Array> {
    guard(|| {
        let seed = exactly("publicSeed", &public_seed)?;
        Ok(public_key::assemble_public_key(&seed, &cpk_chunk)?.into())
    })
}
