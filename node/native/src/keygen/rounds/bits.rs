//! Rounds `inputs` and `level-k`: 17,196 shared bits, each the XOR of one private bit of every party (docs/keygen.md §2).
//!
//! x XOR y = x + y - 2xy; the first 2t + 1 parties reshare their local products with degree t (GRR). Pairs of a level are
//! first with last, second with last but one, …; an odd one out moves up. Every received vector is kept until the checks.
use super::super::combination::REPETITIONS;
use super::super::context::Purpose;
use super::super::dealing::{SecretVector, deal, deal_random, messages};
use super::super::message::{Incoming, Outgoing, elements};
use super::coin::CoinRound;
use super::{Round, Setup};
use crate::errors::Result;
use crate::ring::Gr;
use crate::ring::element::GR_BYTES;
use crate::ring::shamir::lagrange;
use zeroize::Zeroizing;

pub struct InputsRound {
    pub(crate) setup: Setup,
}

/// Every vector that this party has received or computed: its shares.
pub struct Dealings {
    /// By node of the tree: the n inputs, then per product the product and the XOR.
    pub nodes: Vec<SecretVector>,
    /// The blinds of the degree check, by dealer.
    pub blinds: Vec<SecretVector>,
    pub products: Vec<Product>,
}

/// One product of the tree.
pub struct Product {
    pub left: usize,
    pub right: usize,
    /// Node of the product; the next one is the XOR.
    pub output: usize,
    /// What the first 2t + 1 parties reshared.
    pub resharings: Vec<SecretVector>,
}

impl Round for InputsRound {
    type Next = LevelRound;

    /// To every party: shares of this party's bits, then of its blinds.
    fn produce(&self) -> Outgoing {
        let (context, root) = (&self.setup.session.context, &self.setup.session.root);
        let committee = context.committee;
        let bits = Zeroizing::new(self.own_bits());
        let mut private = messages(committee, context.bits + REPETITIONS);
        let stream = |purpose| root.stream(context, purpose, 0, &[]);
        let values = bits.iter().map(|&bit| Gr::scalar(bit.into()));
        deal(committee, values, &stream(Purpose::InputSharing), &mut private);
        deal_random(committee, REPETITIONS, &stream(Purpose::Blinds), &mut private);
        Outgoing { broadcast: Vec::new(), private: private.into_iter().map(Some).collect() }
    }

    fn consume(self, incoming: &Incoming) -> Result<LevelRound> {
        let context = &self.setup.session.context;
        let committee = context.committee;
        let (mut nodes, mut blinds) = (Vec::new(), Vec::new());
        for party in committee.parties() {
            incoming.broadcast(party, 0)?;
            let message = incoming.private(party, (context.bits + REPETITIONS) * GR_BYTES)?;
            let (inputs, blind) = message.split_at(context.bits * GR_BYTES);
            nodes.push(Zeroizing::new(elements(inputs)));
            blinds.push(Zeroizing::new(elements(blind)));
        }
        let dealings = Dealings { nodes, blinds, products: Vec::new() };
        Ok(LevelRound { live: (0..committee.n()).collect(), level: 0, setup: self.setup, dealings })
    }
}

impl InputsRound {
    /// One bit per shared bit, 0 or 1.
    fn own_bits(&self) -> Vec<u8> {
        let session = &self.setup.session;
        let mut bits = vec![0; session.context.bits];
        session.root.stream(&session.context, Purpose::InputBits, 0, &[]).fill(0, &mut bits);
        bits.iter_mut().for_each(|byte| *byte &= 1);
        bits
    }
}

pub struct LevelRound {
    pub(crate) setup: Setup,
    pub(crate) dealings: Dealings,
    /// Nodes that are still to be combined.
    pub(crate) live: Vec<usize>,
    pub(crate) level: usize,
}

/// How many products each level makes of `n` inputs.
pub fn level_pairs(n: usize) -> Vec<usize> {
    let live = std::iter::successors(Some(n), |&live| Some(live.div_ceil(2)));
    live.take_while(|&live| live > 1).map(|live| live / 2).collect()
}

/// What follows a level.
pub enum AfterLevel {
    Level(LevelRound),
    Coin(CoinRound),
}

impl LevelRound {
    /// The pairs of nodes that this level multiplies.
    pub(crate) fn pairs(&self) -> Vec<(usize, usize)> {
        let count = self.live.len();
        (0..count / 2).map(|i| (self.live[i], self.live[count - 1 - i])).collect()
    }
}

impl Round for LevelRound {
    type Next = AfterLevel;

    /// From the first 2t + 1 parties, to every party: shares of lambda · x · y for each pair of the level.
    fn produce(&self) -> Outgoing {
        let (context, root) = (&self.setup.session.context, &self.setup.session.root);
        let committee = context.committee;
        if context.index > committee.quorum() {
            return Outgoing::broadcast(committee.n(), Vec::new());
        }
        let resharers: Vec<usize> = (1..=committee.quorum()).collect();
        let lambda = lagrange(&resharers, 0)[context.index - 1];
        let pairs = self.pairs();
        let mut private = messages(committee, pairs.len() * context.bits);
        for (i, (left, right)) in pairs.into_iter().enumerate() {
            let place = [self.level as u8, i as u8];
            let stream = root.stream(context, Purpose::Resharing, 0, &place);
            let (x, y) = (&self.dealings.nodes[left], &self.dealings.nodes[right]);
            let products = x.iter().zip(y.iter()).map(|(&x, &y)| lambda * (x * y));
            deal(committee, products, &stream, &mut private);
        }
        Outgoing { broadcast: Vec::new(), private: private.into_iter().map(Some).collect() }
    }

    fn consume(mut self, incoming: &Incoming) -> Result<AfterLevel> {
        let (bits, committee) = (self.setup.session.context.bits, self.setup.session.context.committee);
        let pairs = self.pairs();
        let mut received = Vec::new();
        for party in committee.parties() {
            incoming.broadcast(party, 0)?;
            if party > committee.quorum() {
                incoming.no_private(party)?;
            } else {
                received.push(incoming.private(party, pairs.len() * bits * GR_BYTES)?);
            }
        }
        let mut live: Vec<usize> = Vec::new();
        for (i, &(left, right)) in pairs.iter().enumerate() {
            let range = i * bits * GR_BYTES..(i + 1) * bits * GR_BYTES;
            let resharings = received.iter().map(|m| Zeroizing::new(elements(&m[range.clone()]))).collect();
            live.push(self.dealings.multiply(left, right, resharings));
        }
        if self.live.len() % 2 == 1 {
            live.push(self.live[pairs.len()]);
        }
        if live.len() == 1 {
            return Ok(AfterLevel::Coin(CoinRound { setup: self.setup, dealings: self.dealings }));
        }
        Ok(AfterLevel::Level(LevelRound { live, level: self.level + 1, ..self }))
    }
}

impl Dealings {
    /// Adds a product and its XOR; returns the node of the XOR.
    fn multiply(&mut self, left: usize, right: usize, resharings: Vec<SecretVector>) -> usize {
        let bits = self.nodes[left].len();
        let mut product = Zeroizing::new(vec![Gr::ZERO; bits]);
        for resharing in &resharings {
            product.iter_mut().zip(resharing.iter()).for_each(|(sum, &share)| *sum += share);
        }
        let (x, y) = (&self.nodes[left], &self.nodes[right]);
        let xor = (0..bits).map(|e| x[e] + y[e] - product[e].scale(2)).collect();
        let output = self.nodes.len();
        self.nodes.push(product);
        self.nodes.push(Zeroizing::new(xor));
        self.products.push(Product { left, right, output, resharings });
        output + 1
    }

    /// Shares of the XOR of all inputs: the last node.
    pub fn into_result(mut self) -> SecretVector {
        self.nodes.pop().unwrap_or_default()
    }
}
