//! The executor's operations as JavaScript sees them. Big things come as paths or stay in Rust.

use super::destroyable::Destroyable;
use super::guard;
use super::task::{Work, background};
use crate::ciphertext::FheType;
use crate::errors::Result;
use crate::ops::inputs::ProofContext;
use crate::ops::operation::Request;
use crate::ops::self_test::self_test;
use crate::ops::server_key;
use crate::squash::squash;
use napi::bindgen_prelude::{AsyncTask, Uint8Array};
use napi_derive::napi;
use std::path::Path;

#[napi(object)]
pub struct Operation {
    pub operator: String,
    pub operands: Vec<Uint8Array>,
    pub scalar: Option<Uint8Array>,
    pub to_type: Option<u32>,
}

#[napi(object)]
pub struct ExpandedInput {
    pub fhe_type: u32,
    pub ciphertext: Uint8Array,
}

/// The loaded evaluation key, about 3 GB outside the JavaScript heap.
#[napi]
pub struct ServerKey {
    key: Destroyable<server_key::ServerKey>,
}

type Bytes = AsyncTask<Work<Vec<u8>, Uint8Array>>;
type Expansion = AsyncTask<Work<Vec<(FheType, Vec<u8>)>, Vec<ExpandedInput>>>;

#[napi]
impl ServerKey {
    #[napi(catch_unwind)]
    pub fn load(
        path: String,
        sha256: Uint8Array,
    ) -> napi::Result<AsyncTask<Work<server_key::ServerKey, ServerKey>>> {
        let sha256 = guard(|| super::exactly("sha256", &sha256))?;
        Ok(background(
            |key| ServerKey { key: Destroyable::new(key) },
            move || server_key::ServerKey::load(Path::new(&path), &sha256),
        ))
    }

    #[napi(catch_unwind)]
    pub fn compute(&self, operation: Operation) -> napi::Result<Bytes> {
        let key = guard(|| self.key.get())?;
        let request = Request {
            operator: operation.operator,
            operands: operation.operands.iter().map(|bytes| bytes.to_vec()).collect(),
            scalar: operation.scalar.map(|word| word.to_vec()),
            to_type: operation.to_type,
        };
        Ok(background(Uint8Array::from, move || key.compute(&request)))
    }

    #[napi(catch_unwind)]
    pub fn squash(&self, ciphertext: Uint8Array, fhe_type: u32) -> napi::Result<Bytes> {
        let key = guard(|| self.key.get())?;
        let ciphertext = ciphertext.to_vec();
        Ok(background(Uint8Array::from, move || squash(&key, &ciphertext, FheType::from_code(fhe_type)?)))
    }

    /// Frees the memory as soon as running computations end; the collector does not know how much there is.
    #[napi]
    pub fn destroy(&self) {
        self.key.destroy();
    }

    #[napi(catch_unwind)]
    pub fn expand_inputs(
        &self,
        list: Uint8Array,
        public_key: Uint8Array,
        crs: Uint8Array,
        metadata: Uint8Array,
    ) -> napi::Result<Expansion> {
        let key = guard(|| self.key.get())?;
        let arguments = ProofArguments::copy(&list, &public_key, &crs, &metadata);
        Ok(background(
            |values| {
                values
                    .into_iter()
                    .map(|(fhe_type, ciphertext)| ExpandedInput {
                        fhe_type: fhe_type as u32,
                        ciphertext: ciphertext.into(),
                    })
                    .collect()
            },
            move || {
                let values = arguments.context()?.expand(&key, &arguments.list)?;
                values.iter().map(|value| Ok((value.fhe_type(), value.encode()?))).collect()
            },
        ))
    }
}

#[napi]
impl ServerKey {
    /// Words of the two results of the self-test; `path` is the file that this key was loaded from, `sha256` its digest.
    #[napi(catch_unwind)]
    pub fn self_test(
        &self,
        path: String,
        sha256: Uint8Array,
        list: Uint8Array,
        public_key: Uint8Array,
        crs: Uint8Array,
        metadata: Uint8Array,
    ) -> napi::Result<Bytes> {
        let key = guard(|| self.key.get())?;
        let sha256 = guard(|| super::exactly("sha256", &sha256))?;
        let arguments = ProofArguments::copy(&list, &public_key, &crs, &metadata);
        Ok(background(Uint8Array::from, move || {
            let context = arguments.context()?;
            self_test(&key, Path::new(&path), &sha256, &context, &arguments.list, &arguments.metadata)
        }))
    }
}

struct ProofArguments {
    list: Vec<u8>,
    public_key: Vec<u8>,
    crs: Vec<u8>,
    metadata: Vec<u8>,
}

impl ProofArguments {
    fn copy(list: &[u8], public_key: &[u8], crs: &[u8], metadata: &[u8]) -> Self {
        Self {
            list: list.to_vec(),
            public_key: public_key.to_vec(),
            crs: crs.to_vec(),
            metadata: metadata.to_vec(),
        }
    }

    fn context(&self) -> Result<ProofContext<'_>> {
        ProofContext::new(&self.public_key, &self.crs, &self.metadata)
    }
}

#[napi(catch_unwind)]
pub fn verify_input_list(
    list: Uint8Array,
    public_key: Uint8Array,
    crs: Uint8Array,
    metadata: Uint8Array,
) -> AsyncTask<Work<Vec<u32>, Vec<u32>>> {
    let arguments = ProofArguments::copy(&list, &public_key, &crs, &metadata);
    background(
        |types| types,
        move || {
            let types = arguments.context()?.verify(&arguments.list)?;
            Ok(types.into_iter().map(|fhe_type| fhe_type as u32).collect())
        },
    )
}

/// A proven list of uint8 values, with which a ceremony tests its key before activation.
#[napi(catch_unwind)]
pub fn encrypt_self_test(
    public_key: Uint8Array,
    crs: Uint8Array,
    metadata: Uint8Array,
    values: Uint8Array,
) -> Bytes {
    let arguments = ProofArguments::copy(&values, &public_key, &crs, &metadata);
    background(Uint8Array::from, move || arguments.context()?.encrypt(&arguments.list))
}
