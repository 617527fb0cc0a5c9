//! Runs of the bit phase as lists of messages, real ones with what only a test may know.
use super::super::combination::REPETITIONS;
use super::super::commitment::combine;
use super::super::context::{Context, Purpose, Root, Session};
use super::super::message::{Incoming, Outgoing, elements};
use super::super::party::round_names;
use super::super::rounds::hello::HelloRound;
use super::super::stage::Stage;
use crate::ring::shamir::{dot, lagrange};
use crate::ring::{Committee, Gr};

const LAST: &str = "product-points";

/// What every party sent, round by round. A simulated run has no private messages between honest parties.
#[derive(Clone)]
pub struct Run {
    pub context: Context,
    pub rounds: Vec<(String, Vec<Outgoing>)>,
}

impl Run {
    pub fn round(&self, name: &str) -> &[Outgoing] {
        let found = self.rounds.iter().find(|(round, _)| round == name);
        found.map(|(_, sent)| sent.as_slice()).expect("a round of the bit phase")
    }

    pub fn round_mut(&mut self, name: &str) -> &mut [Outgoing] {
        let found = self.rounds.iter_mut().find(|(round, _)| round == name);
        found.map(|(_, sent)| sent.as_mut_slice()).expect("a round of the bit phase")
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
    Stage::Hello(HelloRound::new(Session { context: context(committee, bits, index), root }))
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

/// What nobody may learn.
pub struct Hidden {
    /// By dealer: its private bits.
    pub inputs: Vec<Vec<Gr>>,
    /// By receiver and dealer: the blinds of the degree check.
    pub blinds: Vec<Vec<Vec<Gr>>>,
    /// By party: its shares of zero in the product check.
    pub zeros: Vec<Vec<Gr>>,
}

impl Hidden {
    /// A bit of the key.
    pub fn key_bit(&self, bit: usize) -> bool {
        self.inputs.iter().filter(|list| list[bit] == Gr::ONE).count() % 2 == 1
    }
}

/// A run of honest parties.
pub fn real(committee: Committee, bits: usize, label: &str) -> (Run, Hidden) {
    let mut stages: Vec<Stage> = committee.parties().map(|i| start(committee, bits, i, label)).collect();
    let mut run = Run { context: context(committee, bits, 1), rounds: Vec::new() };
    let mut masks = (Vec::new(), Vec::new());
    for round in rounds(committee) {
        if round == LAST {
            masks = stages.iter().map(masks_of).unzip();
        }
        let sent: Vec<Outgoing> = stages.iter().map(|s| s.produce().expect("rounds are in order")).collect();
        let consume =
            |(i, stage): (usize, Stage)| stage.consume(&incoming(&sent, i + 1)).expect("all are honest");
        stages = stages.into_iter().enumerate().map(consume).collect();
        run.rounds.push((round, sent));
    }
    let inputs = run.round("inputs").iter().map(|sent| secrets(committee, sent, bits)).collect();
    (run, Hidden { inputs, blinds: masks.0, zeros: masks.1 })
}

fn masks_of(stage: &Stage) -> (Vec<Vec<Gr>>, Vec<Gr>) {
    let Stage::ProductPoints(round) = stage else { panic!("the last round") };
    let zeros = round.setup.prss.zero_shares(&round.setup.session.context.hash(Purpose::ProductZero, &[]));
    let blinds = round.dealings.blinds.iter().map(|list| list.to_vec()).collect();
    (blinds, (0..REPETITIONS as u64).map(|repetition| zeros.share(repetition)).collect())
}

/// The first `count` values that a message to all parties shares.
fn secrets(committee: Committee, sent: &Outgoing, count: usize) -> Vec<Gr> {
    let set: Vec<usize> = (1..=committee.t() + 1).collect();
    let weights = lagrange(&set, 0);
    let shares: Vec<Vec<Gr>> =
        set.iter().map(|&q| elements(sent.private[q - 1].as_ref().expect("a private round"))).collect();
    (0..count).map(|e| dot(&weights, &shares.iter().map(|list| list[e]).collect::<Vec<_>>())).collect()
}
