//! Work on the libuv pool. A panic there would abort the process, so every piece of work is caught.

use super::to_js;
use crate::errors::{Code, Failure, Result, catch};
use napi::bindgen_prelude::{AsyncTask, ToNapiValue, TypeName};
use napi::{Env, Task};

/// One piece of work and how its result becomes a JavaScript value on the main thread.
pub struct Work<O, J> {
    compute: Option<Box<dyn FnOnce() -> Result<O> + Send>>,
    resolve: fn(O) -> J,
}

impl<O, J> Task for Work<O, J>
where
    O: Send + 'static,
    J: ToNapiValue + TypeName + 'static,
{
    type Output = O;
    type JsValue = J;

    fn compute(&mut self) -> napi::Result<O> {
        let work = self.compute.take();
        catch(move || match work {
            Some(work) => work(),
            None => Err(Failure::new(Code::Internal, "a task ran twice")),
        })
        .map_err(to_js)
    }

    fn resolve(&mut self, _env: Env, output: O) -> napi::Result<J> {
        Ok((self.resolve)(output))
    }
}

/// A promise of what `work` computes off the main thread.
pub fn background<O, J>(
    resolve: fn(O) -> J,
    work: impl FnOnce() -> Result<O> + Send + 'static,
) -> AsyncTask<Work<O, J>>
where
    O: Send + 'static,
    J: ToNapiValue + TypeName + 'static,
{
    AsyncTask::new(Work { compute: Some(Box::new(work)), resolve })
}
