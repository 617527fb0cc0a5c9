//! What one party of a ceremony computes and sends, and tfhe's own key generation in the same process beside it.
//!
//! `npm run bench -- ceremony` runs this and reads the lines that begin with `figure`. By hand:
//! `TWINLOCK_SIZES=4/1,13/4 cargo test --release --locked keygen::figures -- --ignored --nocapture`. With
//! `TWINLOCK_FIGURES=quick` only a few chunks are contributed to, and nothing that needs all of them is measured.
//! All parties run in this one process, one after another, so a party's CPU time is that of the process over their number.
use super::context::{Context, Root};
use super::layout::{Chunk, chunks};
use super::measure::{cpu, resident};
use super::party::{Party, Sent};
use super::sum::add_into;
use crate::params::{KEY_BITS, META};
use crate::ring::Committee;
use tfhe::core_crypto::prelude::NormalizedHammingWeightBound;
use tfhe::xof_key_set::CompressedXofKeySet;
use tfhe::{Config, Tag};

/// In a quick run every so many chunks count.
const QUICK_STEP: usize = 16;

/// CPU seconds and bytes to others of one party.
#[derive(Clone, Copy, Default)]
struct Spent {
    cpu: f64,
    sent: usize,
}

impl std::iter::Sum for Spent {
    fn sum<I: Iterator<Item = Spent>>(all: I) -> Spent {
        all.fold(Spent::default(), |sum, one| Spent { cpu: sum.cpu + one.cpu, sent: sum.sent + one.sent })
    }
}

/// What stands in a figure's params beside n and t.
struct Line<'a> {
    committee: Committee,
    what: &'a str,
}

impl Line<'_> {
    fn print(&self, name: &str, value: f64, unit: &str) {
        let (n, t, what) = (self.committee.n(), self.committee.t(), self.what);
        println!(
            r#"figure {{"name":"{name}","value":{value},"unit":"{unit}","params":{{"n":{n},"t":{t},"of":"{what}"}}}}"#
        );
    }
}

/// The parties of a ceremony, and what every round took.
struct Ceremony {
    committee: Committee,
    parties: Vec<Party>,
    rounds: Vec<(String, Spent)>,
}

impl Ceremony {
    fn new(committee: Committee) -> Ceremony {
        let party = |index| {
            let context = Context { committee, index, ceremony_id: [5; 32], attempt: 0, bits: KEY_BITS };
            Party::new(context, Root::from_os().expect("randomness"))
        };
        Ceremony { committee, parties: committee.parties().map(party).collect(), rounds: Vec::new() }
    }

    fn per_party<T>(&mut self, work: impl FnOnce(&mut Vec<Party>) -> T) -> (f64, T) {
        let started = cpu();
        let result = work(&mut self.parties);
        ((cpu() - started) / self.committee.n() as f64, result)
    }

    /// Runs the next rounds up to and including `last`.
    fn run_through(&mut self, last: &str) {
        let names = self.parties[0].rounds();
        let end = names.iter().position(|name| name == last).expect("a round");
        for (round, name) in names.iter().enumerate().take(end + 1).skip(self.rounds.len()) {
            let spent = self.run(round);
            println!("{name}: {:.3} CPU-s per party, {} MB resident in all", spent.cpu, resident());
            self.rounds.push((name.clone(), spent));
        }
    }

    fn run(&mut self, round: usize) -> Spent {
        let n = self.committee.n();
        let (producing, sent) = self.per_party(|parties| {
            let produce = |party: &mut Party| party.produce(round).expect("in order");
            parties.iter_mut().map(produce).collect::<Vec<Sent>>()
        });
        let bytes = |sent: &Sent| {
            sent.broadcast.len() * (n - 1) + sent.sealed.iter().flatten().map(Vec::len).sum::<usize>()
        };
        let total: usize = sent.iter().map(bytes).sum();
        let (consuming, ()) = self.per_party(|parties| {
            for (q, party) in parties.iter_mut().enumerate() {
                let broadcasts = sent.iter().map(|sent| sent.broadcast.clone()).collect();
                let sealed = sent.iter().map(|sent| sent.sealed[q].clone()).collect();
                party.consume(round, broadcasts, sealed).expect("honest");
            }
        });
        Spent { cpu: producing + consuming, sent: total / n }
    }

    /// What the rounds of which `counts` is true took.
    fn spent(&self, counts: impl Fn(&str) -> bool) -> Spent {
        self.rounds.iter().filter(|(name, _)| counts(name)).map(|(_, spent)| *spent).sum()
    }

    /// Contributions to every `step`-th chunk, and their sums.
    fn contribute(&mut self, step: usize) -> (f64, Vec<Vec<u8>>) {
        self.per_party(|parties| {
            let contributors: Vec<_> =
                parties.iter().map(|party| party.contributor().expect("in order")).collect();
            let sum = |chunk: Chunk| {
                let mut sum = vec![0; chunk.byte_length()];
                for party in &contributors {
                    let body = party.contribution(&chunk);
                    add_into(&mut sum, &body, chunk.part.part().word_bytes()).expect("one chunk");
                }
                sum
            };
            chunks().into_iter().step_by(step).map(sum).collect()
        })
    }

    fn absorb(&mut self, bodies: &[Vec<u8>]) -> f64 {
        let (seconds, ()) = self.per_party(|parties| {
            for (chunk, body) in chunks().iter().zip(bodies) {
                for party in parties.iter_mut() {
                    party.absorb(chunk, body).expect("in order");
                }
            }
        });
        seconds
    }
}

const CHECKS: [&str; 6] = ["coin", "degree-points", "product-points", "row-noise", "row-coin", "row-points"];

/// CPU seconds of tfhe's own generation of a key with the same parts.
fn dealer() -> f64 {
    let started = cpu();
    let bound = NormalizedHammingWeightBound::new(0.8).expect("a bound");
    let made = CompressedXofKeySet::generate(Config::from(META), vec![7; 32], 128, bound, Tag::default());
    let keys = made.expect("generates");
    let seconds = cpu() - started;
    drop(keys);
    seconds
}

fn measure(committee: Committee, quick: bool, dealer: Option<f64>) {
    let line = |what| Line { committee, what };
    let mut ceremony = Ceremony::new(committee);
    ceremony.run_through("row-noise");
    let (contributing, bodies) = ceremony.contribute(if quick { QUICK_STEP } else { 1 });
    println!("contributions: {contributing:.3} CPU-s per party, {} MB resident in all", resident());
    let bits = ceremony.spent(|name| name != "row-noise").cpu;
    let chunks = format!("bit phase and contributions to {} chunks", bodies.len());
    line("bit phase").print("keygen.cpu_s_per_party", bits, "s");
    line(&chunks).print("keygen.cpu_s_per_party", bits + contributing, "s");
    if let Some(dealer) = dealer {
        line("tfhe").print("keygen.dealer_cpu_s", dealer, "s");
        line(&chunks).print("keygen.ratio_vs_dealer", (bits + contributing) / dealer, "ratio");
    }
    if quick {
        return;
    }
    ceremony.run_through("row-coin");
    let rows = ceremony.absorb(&bodies);
    println!("rows: {rows:.3} CPU-s per party, {} MB resident in all", resident());
    ceremony.run_through("row-points");
    let checks = ceremony.spent(|name| CHECKS.contains(&name));
    line("all checks").print("checks.cpu_s_per_party", checks.cpu + rows, "s");
    line("sums of rows").print("checks.cpu_s_per_party", rows, "s");
    line("all checks").print("checks.bytes_sent_per_party", checks.sent as f64, "bytes");
}

/// `4/1,13/4`.
fn sizes(text: &str) -> Vec<Committee> {
    let size = |size: &str| {
        let (n, t) = size.split_once('/').expect("n/t");
        Committee::new(n.parse().expect("n"), t.parse().expect("t")).expect("allowed")
    };
    text.split(',').map(size).collect()
}

#[test]
#[ignore = "figures: minutes of CPU time"]
fn figures_of_one_party() {
    let quick = std::env::var("TWINLOCK_FIGURES").is_ok_and(|value| value == "quick");
    let sizes = sizes(&std::env::var("TWINLOCK_SIZES").unwrap_or_else(|_| "4/1,13/4".into()));
    let dealer = (!quick).then(dealer);
    for committee in sizes {
        measure(committee, quick, dealer);
    }
}
