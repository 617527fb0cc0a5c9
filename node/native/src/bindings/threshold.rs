//! The key share as JavaScript sees it: an opaque object. Its bytes never reach the JavaScript heap unsealed.

use super::destroyable::Destroyable;
use super::task::{Work, background};
use super::{exactly, guard};
use crate::errors::Result;
use crate::ring;
use crate::threshold::batch::{ShareWork, decryption_shares};
use crate::threshold::seal;
use crate::threshold::share::ShareKey;
use crate::word_format::WordFormat;
use napi::bindgen_prelude::{AsyncTask, Uint8Array};
use napi_derive::napi;
use std::sync::Arc;
use zeroize::Zeroizing;

/// One ciphertext to decrypt.
#[napi(object)]
pub struct ShareItem {
    pub words: Uint8Array,
    pub session_id: Uint8Array,
    pub format: u32,
}

impl ShareItem {
    fn copy(&self) -> Result<ShareWork> {
        let format = WordFormat::from_code(self.format)?;
        // before the copy: a caller's mistake costs no memory
        format.blocks(self.words.len())?;
        Ok(ShareWork { words: self.words.to_vec(), format, session: exactly("sessionId", &self.session_id)? })
    }
}

type Shares = AsyncTask<Work<Vec<Vec<u8>>, Vec<Uint8Array>>>;

/// Wiped when it is destroyed or collected, at the latest when the last running computation ends.
#[napi]
pub struct KeyShare {
    share: Destroyable<Arc<ShareKey>>,
}

impl KeyShare {
    pub fn wrap(share: ring::KeyShare) -> Self {
        Self { share: Destroyable::new(Arc::new(ShareKey::new(share))) }
    }
}

#[napi]
impl KeyShare {
    /// Opens a sealed share.
    #[napi(catch_unwind)]
    pub fn unseal(sealed: Uint8Array, key: Uint8Array, context: Uint8Array) -> napi::Result<KeyShare> {
        guard(|| {
            let key = Zeroizing::new(exactly("key", &key)?);
            Ok(Self::wrap(seal::unseal(&sealed, &key, &context)?))
        })
    }

    #[napi(catch_unwind)]
    pub fn seal(&self, key: Uint8Array, context: Uint8Array) -> napi::Result<Uint8Array> {
        guard(|| {
            let key = Zeroizing::new(exactly("key", &key)?);
            Ok(seal::seal(self.share.get()?.share(), &key, &context)?.into())
        })
    }

    #[napi(getter, catch_unwind)]
    pub fn n(&self) -> napi::Result<u32> {
        guard(|| Ok(self.share.get()?.share().committee().n() as u32))
    }

    #[napi(getter, catch_unwind)]
    pub fn t(&self) -> napi::Result<u32> {
        guard(|| Ok(self.share.get()?.share().committee().t() as u32))
    }

    #[napi(getter, catch_unwind)]
    pub fn index(&self) -> napi::Result<u32> {
        guard(|| Ok(self.share.get()?.share().index() as u32))
    }

    /// Words are copied first: what is hashed into the masks is what is decrypted.
    #[napi(catch_unwind)]
    pub fn decryption_shares(&self, items: Vec<ShareItem>) -> napi::Result<Shares> {
        let (share, work) = guard(|| {
            let work: Result<Vec<ShareWork>> = items.iter().map(ShareItem::copy).collect();
            Ok((self.share.get()?, work?))
        })?;
        Ok(background(
            |shares| shares.into_iter().map(Uint8Array::from).collect(),
            move || decryption_shares(&share, &work),
        ))
    }

    #[napi]
    pub fn destroy(&self) {
        self.share.destroy();
    }
}
