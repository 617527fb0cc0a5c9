//! The CRS ceremony as JavaScript sees it. States and messages are copied: the caller may reuse its buffers.

use super::task::{Work, background};
use super::{exactly, guard};
use crate::crs::{self, Context, CrsParameters, Link};
use napi::bindgen_prelude::{AsyncTask, Uint8Array};
use napi_derive::napi;
use sha2::{Digest, Sha256};

#[napi(object)]
pub struct CrsContext {
    pub ceremony_id: Uint8Array,
    pub round: u32,
    pub party: u32,
}

impl CrsContext {
    fn read(&self) -> crate::errors::Result<Context> {
        Ok(Context {
            ceremony: exactly("ceremonyId", &self.ceremony_id)?,
            round: self.round,
            party: self.party,
        })
    }
}

fn state_or_start(parameters: &CrsParameters, previous: Option<Vec<u8>>) -> Vec<u8> {
    previous.unwrap_or_else(|| crs::start_state(parameters))
}

#[napi(catch_unwind)]
pub fn crs_update(
    previous: Option<Uint8Array>,
    context: CrsContext,
) -> napi::Result<AsyncTask<Work<Vec<u8>, Uint8Array>>> {
    let context = guard(|| context.read())?;
    let previous = previous.map(|bytes| bytes.to_vec());
    Ok(background(Uint8Array::from, move || {
        let parameters = CrsParameters::production();
        Ok(crs::update(&parameters, &state_or_start(&parameters, previous), &context)?)
    }))
}

type Check = fn(&CrsParameters, &[u8], &[u8], &Context) -> Result<Vec<u8>, crs::CrsError>;
type State = AsyncTask<Work<Vec<u8>, Uint8Array>>;

/// The state that `message` makes of the previous one, if `check` takes it.
fn next_state(
    check: Check,
    previous: Option<Uint8Array>,
    message: &Uint8Array,
    context: &CrsContext,
) -> napi::Result<State> {
    let context = guard(|| context.read())?;
    let previous = previous.map(|bytes| bytes.to_vec());
    let message = message.to_vec();
    Ok(background(Uint8Array::from, move || {
        let parameters = CrsParameters::production();
        Ok(check(&parameters, &state_or_start(&parameters, previous), &message, &context)?)
    }))
}

#[napi(catch_unwind)]
pub fn crs_verify(
    previous: Option<Uint8Array>,
    message: Uint8Array,
    context: CrsContext,
) -> napi::Result<State> {
    next_state(crs::verify, previous, &message, &context)
}

/// Like `crs_verify`, but for the points of the list.
#[napi(catch_unwind)]
pub fn crs_follow(
    previous: Option<Uint8Array>,
    message: Uint8Array,
    context: CrsContext,
) -> napi::Result<State> {
    next_state(crs::follow, previous, &message, &context)
}

/// Whether a list is well formed: an error where it is not.
#[napi(catch_unwind)]
pub fn crs_check(state: Uint8Array) -> AsyncTask<Work<(), ()>> {
    let state = state.to_vec();
    background(|()| (), move || Ok(crs::check_state(&CrsParameters::production(), &state).map(drop)?))
}

#[napi(catch_unwind)]
pub fn crs_assemble(
    state: Uint8Array,
    transcript: Uint8Array,
) -> napi::Result<AsyncTask<Work<Vec<u8>, Uint8Array>>> {
    let transcript = guard(|| exactly("transcript", &transcript))?;
    let state = state.to_vec();
    Ok(background(Uint8Array::from, move || {
        Ok(crs::assemble(&CrsParameters::production(), &state, &transcript)?)
    }))
}

/// What an auditor keeps of one accepted message.
#[napi(catch_unwind)]
pub fn crs_link(message: Uint8Array) -> napi::Result<Uint8Array> {
    guard(|| Ok(Link::of_message(&CrsParameters::production(), &message)?.to_bytes().into()))
}

/// SHA-256 of the file that the final state makes, if the links, one of each of `parties` in this order, prove it.
#[napi(catch_unwind)]
pub fn crs_audit(
    ceremony_id: Uint8Array,
    parties: Vec<u32>,
    links: Vec<Uint8Array>,
    state: Uint8Array,
    transcript: Uint8Array,
) -> napi::Result<AsyncTask<Work<Vec<u8>, Uint8Array>>> {
    let ceremony = guard(|| exactly("ceremonyId", &ceremony_id))?;
    let links = guard(|| {
        links.iter().map(|link| Ok(Link::from_bytes(link)?)).collect::<crate::errors::Result<Vec<_>>>()
    })?;
    let transcript = guard(|| exactly("transcript", &transcript))?;
    let state = state.to_vec();
    Ok(background(Uint8Array::from, move || {
        let parameters = CrsParameters::production();
        let lists = crs::audit(&parameters, &ceremony, &parties, &links, &state)?;
        Ok(Sha256::digest(crs::serialise(&parameters, lists, &transcript)?).to_vec())
    }))
}
