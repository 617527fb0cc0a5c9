//! Writes the serialised server key without holding it: 511 MB pass through a small buffer.
//!
//! tfhe serialises a body as its length (8 bytes, little-endian) and its words. So a key of few input bits is built and
//! serialised as usual, with bodies of marker words; each marked body is then replaced by the true length and the chunk
//! files. A test compares the result with tfhe's serialisation of the whole key.
use super::super::layout::{PartId, chunks};
use super::super::masks::PUBLIC_SEED_BYTES;
use super::server_key::{Bodies, compressed_server_key};
use crate::errors::{Code, Failure, Result};
use sha2::{Digest, Sha256};
use std::fs::{File, rename};
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use tfhe::safe_serialization::safe_serialize;

/// Upper bound for readers and for this writer.
pub const SERVER_KEY_LIMIT: u64 = 1 << 30;
const BUFFER: usize = 1 << 20;

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    pub sha256: [u8; 32],
    pub byte_length: u64,
}

/// Small bodies, filled with a word that names the part.
struct Markers;

impl Bodies for Markers {
    fn narrow(&mut self, part: PartId) -> Vec<u64> {
        vec![marker(part) as u64; marked_words(part)]
    }

    fn wide(&mut self, part: PartId) -> Vec<u128> {
        vec![marker(part); marked_words(part)]
    }
}

const fn marker(part: PartId) -> u128 {
    0x7477_696e_6c6f_636b_2f6d_6172_6b65_7200 + part as u128
}

/// One input bit; all of them in the parts whose dimensions tfhe compares (30 MB together).
const fn marked_words(id: PartId) -> usize {
    let part = id.part();
    match id {
        PartId::Bootstrapping | PartId::KeySwitching | PartId::CompactKeySwitching => part.words(),
        PartId::CompactPublic
        | PartId::Compression
        | PartId::Decompression
        | PartId::Squashing
        | PartId::Rerandomisation
        | PartId::SquashedCompression
        | PartId::PseudoRandomFunction => part.rows_per_bit() * part.row_words,
    }
}

/// Bytes of a marked body with its length in front.
const fn marked_bytes(part: PartId) -> usize {
    8 + marked_words(part) * part.part().word_bytes()
}

/// How a marked body begins: its length and its first words.
fn beginning(part: PartId) -> Vec<u8> {
    let mut out = (marked_words(part) as u64).to_le_bytes().to_vec();
    let word = marker(part).to_le_bytes();
    for _ in 0..64 {
        out.extend_from_slice(&word[..part.part().word_bytes()]);
    }
    out
}

/// Assembles the serialised `CompressedServerKey` of a summed key.
///
/// `chunk_paths` are the files of all chunks of the layout, in its order (that of the compact public key too, which is
/// not part of this file).
///
/// # Errors
/// `KEYGEN_KEY_LAYOUT` for a wrong number of paths or a file of another length, `NATIVE_IO`.
pub fn assemble_server_key(
    public_seed: &[u8; PUBLIC_SEED_BYTES],
    chunk_paths: &[PathBuf],
    out: &Path,
) -> Result<Written> {
    let layout = chunks();
    if chunk_paths.len() != layout.len() {
        let text = format!("want {} chunk files, got {}", layout.len(), chunk_paths.len());
        return Err(Failure::new(Code::KeyLayout, text));
    }
    let skeleton = skeleton(public_seed)?;
    let mut sink = Sink::create(out)?;
    let mut done = 0;
    for (place, part) in places(&skeleton)? {
        sink.write(&skeleton[done..place])?;
        sink.write(&(part.part().words() as u64).to_le_bytes())?;
        for chunk in layout.iter().filter(|chunk| chunk.part == part) {
            sink.copy(&chunk_paths[chunk.index], chunk.byte_length())?;
        }
        done = place + marked_bytes(part);
    }
    sink.write(&skeleton[done..])?;
    sink.finish()
}

/// The serialised key with marked bodies.
pub(in super::super) fn skeleton(public_seed: &[u8; PUBLIC_SEED_BYTES]) -> Result<Vec<u8>> {
    let key = compressed_server_key(public_seed, &mut Markers)?;
    let mut out = Vec::new();
    safe_serialize(&key, &mut out, SERVER_KEY_LIMIT)
        .map_err(|error| Failure::new(Code::Internal, error.to_string()))?;
    Ok(out)
}

/// Where each part's marked body begins, ascending.
fn places(skeleton: &[u8]) -> Result<Vec<(usize, PartId)>> {
    let mut wanted: Vec<(PartId, Vec<u8>)> = Vec::new();
    for part in chunks().into_iter().map(|chunk| chunk.part) {
        if part != PartId::CompactPublic && wanted.iter().all(|(known, _)| *known != part) {
            wanted.push((part, beginning(part)));
        }
    }
    // All beginnings share the bytes 9..16: the marker without its low byte.
    let common = marker(PartId::CompactPublic).to_le_bytes();
    let mut places = Vec::new();
    for (place, window) in skeleton.windows(16).enumerate() {
        if window[9..] == common[1..8] {
            let found = wanted.iter().filter(|(_, beginning)| skeleton[place..].starts_with(beginning));
            places.extend(found.map(|(part, _)| (place, *part)));
        }
    }
    let once = |part: PartId| places.iter().filter(|(_, found)| *found == part).count() == 1;
    if let Some((part, _)) = wanted.iter().find(|(part, _)| !once(*part)) {
        let text = format!("tfhe's serialisation of {} has changed", part.part().name);
        return Err(Failure::new(Code::Internal, text));
    }
    Ok(places)
}

/// A file that is hashed while it is written, and has its name once it is whole.
struct Sink {
    path: PathBuf,
    file: BufWriter<File>,
    hash: Sha256,
    byte_length: u64,
}

impl Sink {
    fn create(path: &Path) -> Result<Sink> {
        let file = BufWriter::with_capacity(BUFFER, File::create(unfinished(path))?);
        Ok(Sink { path: path.to_path_buf(), file, hash: Sha256::new(), byte_length: 0 })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes)?;
        self.hash.update(bytes);
        self.byte_length += bytes.len() as u64;
        Ok(())
    }

    /// Copies a file of exactly `length` bytes.
    fn copy(&mut self, path: &Path, length: usize) -> Result<()> {
        let mut file = File::open(path)?;
        let mut buffer = vec![0; BUFFER];
        let mut left = length;
        while left > 0 {
            let want = left.min(BUFFER);
            file.read_exact(&mut buffer[..want]).map_err(|_| wrong_length(path, length))?;
            self.write(&buffer[..want])?;
            left -= want;
        }
        if file.read(&mut buffer[..1])? != 0 {
            return Err(wrong_length(path, length));
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Written> {
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        rename(unfinished(&self.path), &self.path)?;
        Ok(Written { sha256: self.hash.finalize().into(), byte_length: self.byte_length })
    }
}

fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

fn wrong_length(path: &Path, length: usize) -> Failure {
    let text = format!("chunk file {} has not {length} bytes", path.display());
    Failure::new(Code::KeyLayout, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_the_server_key_is_found_once_in_the_skeleton() {
        let skeleton = skeleton(&[1; PUBLIC_SEED_BYTES]).expect("serialises");
        let places = places(&skeleton).expect("found");
        assert_eq!(places.len(), 9);
        let ends: Vec<usize> = places.iter().map(|(place, part)| place + marked_bytes(*part)).collect();
        assert!(places[1..].iter().zip(&ends).all(|((place, _), end)| place >= end), "no overlap");
        let grown: usize = places
            .iter()
            .map(|(_, part)| (part.part().words() - marked_words(*part)) * part.part().word_bytes())
            .sum();
        // tfhe.md §1, and 32 bytes more per part: the masks' seed is one for all, with an offset.
        assert_eq!(skeleton.len() + grown, 511_395_729 + 9 * 32);
    }

    #[test]
    fn a_missing_or_wrong_chunk_is_refused() {
        let out = std::env::temp_dir().join(format!("twinlock-assembly-{}", std::process::id()));
        let code = |paths: &[PathBuf]| assemble_server_key(&[1; 32], paths, &out).map_err(|f| f.code);
        assert_eq!(code(&[]), Err(Code::KeyLayout));
        let missing = vec![PathBuf::from("/nonexistent"); chunks().len()];
        assert_eq!(code(&missing), Err(Code::Io));
        let short = out.with_extension("chunk");
        std::fs::write(&short, [0; 100]).expect("disk");
        assert_eq!(code(&vec![short.clone(); chunks().len()]), Err(Code::KeyLayout));
        std::fs::remove_file(short).expect("disk");
        assert!(!out.exists(), "a file has its name once it is whole");
        std::fs::remove_file(unfinished(&out)).expect("disk");
    }
}
