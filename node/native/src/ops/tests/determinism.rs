//! Executors must agree bit for bit, so a new process must compute the same bytes. The crate otherwise picks its FFT by
//! a benchmark when it starts.

use super::{KEYS, encrypt, request};
use crate::ciphertext::FheType;
use crate::ops::evaluate::evaluate;
use crate::ops::operation::Operation;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::process::Command;
use tfhe::integer::ServerKey;

const FOLDER: &str = "TWINLOCK_DETERMINISM_FOLDER";
const OPERATORS: [&str; 4] = ["add", "mul", "gt", "shl"];

fn digest(server: &ServerKey, lhs: &[u8], rhs: &[u8]) -> String {
    let mut hash = Sha256::new();
    for operator in OPERATORS {
        let operation = Operation::parse(&request(operator, &[lhs, rhs])).unwrap();
        hash.update(evaluate(server, &operation).unwrap().encode().unwrap());
    }
    format!("{:x}", hash.finalize())
}

/// Not a test by itself: what the child processes run.
#[test]
fn child() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let read = |name: &str| std::fs::read(Path::new(&folder).join(name)).unwrap();
    let server: ServerKey = bincode::deserialize(&read("key")).unwrap();
    println!("digest {}", digest(&server, &read("lhs"), &read("rhs")));
}

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn three_processes_compute_the_same_bytes() {
    let folder = Folder(std::env::temp_dir().join(format!("twinlock-determinism-{}", std::process::id())));
    std::fs::create_dir_all(&folder.0).unwrap();
    let (lhs, rhs) = (encrypt(FheType::Uint16, 0xbeef), encrypt(FheType::Uint16, 0x0005));
    std::fs::write(folder.0.join("key"), bincode::serialize(&KEYS.server).unwrap()).unwrap();
    std::fs::write(folder.0.join("lhs"), &lhs).unwrap();
    std::fs::write(folder.0.join("rhs"), &rhs).unwrap();
    let expected = digest(&KEYS.server, &lhs, &rhs);
    for threads in ["1", "2"] {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "ops::tests::determinism::child", "--nocapture"])
            .env(FOLDER, &folder.0)
            .env("RAYON_NUM_THREADS", threads)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains(&format!("digest {expected}")), "{threads} threads: {text}");
    }
}
