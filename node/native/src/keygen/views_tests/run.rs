//! Runs of the bit phase as lists of messages, with what only a test may know of them.
use super::super::combination::REPETITIONS;
use super::super::commitment::combine;
use super::super::context::{Context, Purpose, Root, Session};
use super::super::message::{Incoming, Outgoing, elements};
use super::super::party::round_names;
use super::super::rounds::hello::HelloRound;
use super::super::stage::Stage;
use crate::ring::element::GR_BYTES;
use crate::ring::prss::PRSS_TAG;
use crate::ring::shamir::{dot, lagrange};
use crate::ring::{Committee, Gr, Subset};
use crate::stream::{BLOCK, SecretStream, derive_key};
use std::collections::BTreeMap;

pub const LAST: &str = "product-points";

/// What every party sent, round by round. A simulated run has no private messages between honest parties.
pub struct Run {
    pub context: Context,
    pub rounds: Vec<(String, Vec<Outgoing>)>,
    /// By dealer: its private bits. In a simulated run those of honest parties are bits that nobody dealt.
    pub inputs: Vec<Vec<Gr>>,
    /// By replicated key: what it adds to the shared zeros. In a simulated run, of the keys that corrupt parties hold.
    pub zeros: BTreeMap<Subset, Zeros>,
}

/// By repetition: the coefficients of Z, …, Z^t that one replicated key makes.
pub type Zeros = Vec<Vec<Gr>>;

impl Run {
    pub fn round(&self, name: &str) -> &[Outgoing] {
        let found = self.rounds.iter().find(|(round, _)| round == name);
        found.map(|(_, sent)| sent.as_slice()).expect("a round of the bit phase")
    }

    pub fn coin(&self) -> [u8; 32] {
        let reveals: Vec<&[u8]> = self.round("coin").iter().map(|sent| sent.broadcast.as_slice()).collect();
        combine(&self.context, Purpose::BitCoin, "", &reveals)
    }
}

/// The public facts of party `index`.
pub fn context(committee: Committee, bits: usize, index: usize) -> Context {
    Context { committee, index, ceremony_id: [9; 32], attempt: 0, bits }
}

/// The honest code of party `index`, before its first message.
pub fn start(committee: Committee, bits: usize, index: usize, label: &str) -> Stage {
    let root = Root::from_label(&format!("{label} {index}"));
    Stage::Hello(HelloRound::new(Session { context: context(committee, bits, index), root }, Vec::new()))
}

/// Names of the rounds up to the last opening of the bit phase.
pub fn rounds(committee: Committee) -> Vec<String> {
    let mut names = round_names(committee.n());
    let last = names.iter().position(|name| name == LAST).expect("the bit phase ends with it");
    names.truncate(last + 1);
    names
}

/// What party `index` receives.
pub fn incoming(sent: &[Outgoing], index: usize) -> Incoming {
    Incoming {
        broadcasts: sent.iter().map(|m| m.broadcast.clone()).collect(),
        private: sent.iter().map(|m| m.private[index - 1].clone()).collect(),
    }
}

/// Changes the messages of a round before anybody gets them. All parties' states are given.
pub type Change<'a> = &'a mut dyn FnMut(&str, &[Stage], &mut [Outgoing]);

pub fn unchanged(_: &str, _: &[Stage], _: &mut [Outgoing]) {}

/// A run of the real code of all parties.
pub fn real(committee: Committee, bits: usize, label: &str, change: Change<'_>) -> Run {
    let mut stages: Vec<Stage> = committee.parties().map(|i| start(committee, bits, i, label)).collect();
    let context = context(committee, bits, 1);
    let mut run = Run { context, rounds: Vec::new(), inputs: Vec::new(), zeros: BTreeMap::new() };
    for round in rounds(committee) {
        if round == LAST {
            run.zeros = stages.iter().flat_map(zeros).collect();
        }
        let mut sent: Vec<Outgoing> =
            stages.iter().map(|s| s.produce().expect("rounds are in order")).collect();
        change(&round, &stages, &mut sent);
        let consume =
            |(i, stage): (usize, Stage)| stage.consume(&incoming(&sent, i + 1)).expect("all are honest");
        stages = stages.into_iter().enumerate().map(consume).collect();
        run.rounds.push((round, sent));
    }
    run.inputs = run.round("inputs").iter().map(|sent| secrets(committee, sent, bits)).collect();
    run
}

/// What the replicated keys of a party add to the shared zeros, from their definition (`ring::prss`).
pub fn zeros(stage: &Stage) -> Vec<(Subset, Zeros)> {
    let Stage::ProductPoints(round) = stage else { panic!("the last round") };
    let context = &round.setup.session.context;
    let (t, name) = (context.committee.t(), context.hash(Purpose::ProductZero, &[]));
    let coefficients = |key: &[u8]| {
        let stream = SecretStream::new(&derive_key(key, &[PRSS_TAG, &name, b"zero"]));
        let element = |i: usize| {
            let mut bytes = [0; GR_BYTES];
            stream.fill((i * GR_BYTES / BLOCK) as u128, &mut bytes);
            Gr::from_bytes(&bytes)
        };
        (0..REPETITIONS).map(|r| (r * t..(r + 1) * t).map(element).collect()).collect()
    };
    round.setup.prss.by_subset().map(|(subset, key)| (subset, coefficients(key))).collect()
}

/// The first `count` values that a message to all parties shares.
pub fn secrets(committee: Committee, sent: &Outgoing, count: usize) -> Vec<Gr> {
    let set: Vec<usize> = (1..=committee.t() + 1).collect();
    let weights = lagrange(&set, 0);
    let shares: Vec<Vec<Gr>> =
        set.iter().map(|&q| elements(sent.private[q - 1].as_ref().expect("a private round"))).collect();
    (0..count).map(|e| dot(&weights, &shares.iter().map(|list| list[e]).collect::<Vec<_>>())).collect()
}
