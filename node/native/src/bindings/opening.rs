//! Openings as JavaScript sees them. Synchronous: an arrival costs microseconds.
use super::guard;
use crate::errors::{Code, Failure};
use crate::opening::session;
use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;

#[napi]
pub struct Opening {
    opening: session::Opening,
}

#[napi]
impl Opening {
    #[napi(constructor, catch_unwind)]
    pub fn new(n: u32, t: u32, blocks: u32) -> napi::Result<Self> {
        guard(|| Ok(Self { opening: session::Opening::new(n as usize, t as usize, blocks as usize)? }))
    }

    /// The bitmap of the parties that lied (bit party - 1), once open.
    #[napi(catch_unwind)]
    pub fn add(&mut self, party: u32, share: Uint8Array) -> napi::Result<Option<u32>> {
        guard(|| Ok(self.opening.add(party as usize, &share)?.map(|liars| u32::from(liars.0))))
    }

    #[napi(catch_unwind)]
    pub fn values(&self) -> napi::Result<Uint8Array> {
        guard(|| match self.opening.values() {
            Some(values) => Ok(values.into()),
            None => Err(Failure::new(Code::Config, "the session is not open")),
        })
    }
}
