//! The key share as JavaScript sees it: an opaque object. Its bytes never reach the JavaScript heap unsealed.

use super::destroyable::Destroyable;
use super::task::{Work, background};
use super::{exactly, guard};
use crate::ring;
use crate::threshold::seal;
use crate::threshold::share::decryption_share;
use napi::bindgen_prelude::{AsyncTask, Uint8Array};
use napi_derive::napi;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Wiped when it is destroyed or collected, at the latest when the last running computation ends.
#[napi]
pub struct KeyShare {
    share: Destroyable<Arc<ring::KeyShare>>,
}

impl KeyShare {
    pub fn wrap(share: ring::KeyShare) -> Self {
        Self { share: Destroyable::new(Arc::new(share)) }
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
            Ok(seal::seal(&*self.share.get()?, &key, &context)?.into())
        })
    }

    #[napi(getter, catch_unwind)]
    pub fn n(&self) -> napi::Result<u32> {
        guard(|| Ok(self.share.get()?.committee().n() as u32))
    }

    #[napi(getter, catch_unwind)]
    pub fn t(&self) -> napi::Result<u32> {
        guard(|| Ok(self.share.get()?.committee().t() as u32))
    }

    #[napi(getter, catch_unwind)]
    pub fn index(&self) -> napi::Result<u32> {
        guard(|| Ok(self.share.get()?.index() as u32))
    }

    /// `words` are copied first: what is hashed into the masks is what is decrypted.
    #[napi(catch_unwind)]
    pub fn decryption_share(
        &self,
        words: Uint8Array,
        session_id: Uint8Array,
    ) -> napi::Result<AsyncTask<Work<Vec<u8>, Uint8Array>>> {
        let (share, session) = guard(|| Ok((self.share.get()?, exactly("sessionId", &session_id)?)))?;
        let words = words.to_vec();
        Ok(background(Uint8Array::from, move || decryption_share(&share, &words, &session)))
    }

    #[napi]
    pub fn destroy(&self) {
        self.share.destroy();
    }
}
