// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TcbStatus} from "../src/attestation/TcbStatus.sol";
import {ICollateralStore} from "../src/interfaces/ICollateralStore.sol";
import {IDecryptionVerifier} from "../src/interfaces/IDecryptionVerifier.sol";
import {INodeRegistry} from "../src/interfaces/INodeRegistry.sol";
import {Appraisal, Evidence, IQuoteVerifier} from "../src/interfaces/IQuoteVerifier.sol";
import {ResultTree} from "../src/libraries/ResultTree.sol";
import {
    AcceptancePolicy,
    Certificate,
    DecryptionResult,
    EpochHeader,
    FreshQuote,
    Opening,
    PolicyEvidence
} from "../src/types/Decryption.sol";
import {AllowListEntry, Registration, Role} from "../src/types/Node.sol";
import {SchnorrSigner} from "./support/SchnorrSigner.sol";
import {StandingTest} from "./support/StandingTest.sol";

/// @notice Fresh quotes beside a group signature, with the real registry around a stub of quotes: each of the seat's own
/// machine and software, under the collateral of now, for this tree alone.
contract DecryptionVerifierQuotesTest is StandingTest {
    using SchnorrSigner for SchnorrSigner.Key;

    address private constant GATEWAY = address(1);

    SchnorrSigner.Key private _group;
    address[] private _seats;
    DecryptionResult private _result;
    Certificate private _certificate;

    function setUp() public override {
        super.setUp();
        _group = SchnorrSigner.keyFrom(5);
        _seats = _seatFour();
        (_result.gateway, _result.requestId) = (GATEWAY, keccak256("request"));
        _result.openings.push(Opening(keccak256("handle"), keccak256("session"), 7));
        (_certificate.keyId, _certificate.epoch) = (KEY, EPOCH);
        (_certificate.signers, _certificate.leaves) = (7, 1);
        (_certificate.r, _certificate.s) = _group.sign(verifier.batchDigest(_result, _certificate));
        _nextBlocks(5);
    }

    function test_fuzz_quotesOfDistinctSeatsAreAccepted(uint256 parties, uint8 wanted) public view {
        parties = bound(parties, 0, 15);
        FreshQuote[] memory freshQuotes = _quotes(parties);
        wanted = uint8(bound(wanted, 0, freshQuotes.length));
        verifier.verifyWith(_result, _certificate, _evidenceOf(freshQuotes), AcceptancePolicy(0, wanted, false));
    }

    function test_fuzz_fewerQuotesThanWantedAreRefused(uint256 parties, uint8 wanted) public {
        FreshQuote[] memory freshQuotes = _quotes(bound(parties, 0, 15));
        vm.assume(wanted > freshQuotes.length);
        _expectRefused(
            freshQuotes,
            wanted,
            abi.encodeWithSelector(IDecryptionVerifier.TooFewQuotes.selector, freshQuotes.length, wanted)
        );
    }

    /// @notice ⚔ One enclave that quotes twice is one enclave.
    function test_seatTwiceIsRefused() public {
        FreshQuote[] memory freshQuotes = _quotes(3);
        freshQuotes[1] = freshQuotes[0];
        _expectRefused(freshQuotes, 2, abi.encodeWithSelector(IDecryptionVerifier.QuotesUnsorted.selector, uint8(1)));
    }

    function test_unsortedQuotesAreRefused() public {
        FreshQuote[] memory freshQuotes = _quotes(6);
        (freshQuotes[0], freshQuotes[1]) = (freshQuotes[1], freshQuotes[0]);
        _expectRefused(freshQuotes, 2, abi.encodeWithSelector(IDecryptionVerifier.QuotesUnsorted.selector, uint8(2)));
    }

    function test_partiesOutOfRangeAreRefused() public {
        FreshQuote[] memory freshQuotes = _quotes(1);
        uint8[3] memory bad = [0, 16, 255];
        for (uint256 i; i < 3; ++i) {
            freshQuotes[0].index = bad[i];
            _expectRefused(freshQuotes, 1, abi.encodeWithSelector(IDecryptionVerifier.QuotesUnsorted.selector, bad[i]));
        }
        freshQuotes[0].index = 5;
        _expectRefused(
            freshQuotes, 1, abi.encodeWithSelector(IDecryptionVerifier.SignersOutOfRange.selector, 16, uint8(4))
        );
    }

    /// @notice ⚔ The quote of one seat counts for no other, whoever presents it.
    function test_quoteOfAnotherSeatIsRefused() public {
        FreshQuote[] memory freshQuotes = _quotes(1);
        freshQuotes[0].index = 2;
        bytes32 expected = verifier.freshQuoteBinding(KEY, EPOCH, 2, _root(), 1);
        _expectRefused(freshQuotes, 1, _mismatch(_binding(1), expected));
    }

    /// @notice ⚔ Another machine with the same software, which states the seat's own index.
    function test_quoteOfAnotherMachineIsRefused() public {
        FreshQuote[] memory freshQuotes = _quotes(1);
        freshQuotes[0].evidence = _quoteFor(1, _machine(9), IMAGE, COMPOSE);
        _expectRefused(freshQuotes, 1, abi.encodeWithSelector(INodeRegistry.PlatformChanged.selector, _seats[0]));
    }

    /// @notice ⚔ Each fact of the machine counts by itself.
    function test_everyFactOfTheMachineCounts() public {
        for (uint256 fact; fact < 3; ++fact) {
            Machine memory machine = _machine(1);
            if (fact == 0) machine.ppid = "other";
            if (fact == 1) machine.piid = "other";
            if (fact == 2) machine.components += 1;
            FreshQuote[] memory freshQuotes = _quotes(1);
            freshQuotes[0].evidence = _quoteFor(1, machine, IMAGE, COMPOSE);
            _expectRefused(freshQuotes, 1, abi.encodeWithSelector(INodeRegistry.PlatformChanged.selector, _seats[0]));
        }
    }

    function test_unlistedSoftwareIsRefused() public {
        FreshQuote[] memory freshQuotes = _quotes(1);
        freshQuotes[0].evidence = _quoteFor(1, _machine(1), IMAGE, "other");
        _expectRefused(
            freshQuotes,
            1,
            abi.encodeWithSelector(INodeRegistry.NotAllowListed.selector, Role.Keyholder, IMAGE, bytes32("other"))
        );
    }

    /// @notice ⚔ Software that is listed, but not what the seat registered with: its keys are not this enclave's.
    function test_otherListedSoftwareIsRefused() public {
        vm.prank(governance);
        uint32 entryId =
            registry.proposeEntry(AllowListEntry(Role.Keyholder, IMAGE, "newer", keccak256("provider"), 2));
        vm.warp(_now() + 60);
        registry.activateEntry(entryId);
        FreshQuote[] memory freshQuotes = _quotes(1);
        freshQuotes[0].evidence = _quoteFor(1, _machine(1), IMAGE, "newer");
        _expectRefused(
            freshQuotes, 1, abi.encodeWithSelector(INodeRegistry.MeasurementChanged.selector, _seats[0], entryId)
        );
    }

    /// @notice ⚔ The role of a seat is the keyholder's: the same software under the executors' entry does not do.
    function test_entryOfAnotherRoleIsRefused() public {
        AllowListEntry memory executors = AllowListEntry(Role.Executor, IMAGE, "tool", keccak256("provider"), 2);
        vm.prank(governance);
        uint32 entryId = registry.proposeEntry(executors);
        vm.warp(_now() + 60);
        registry.activateEntry(entryId);
        FreshQuote[] memory freshQuotes = _quotes(1);
        freshQuotes[0].evidence = _quoteFor(1, _machine(1), IMAGE, "tool");
        _expectRefused(
            freshQuotes,
            1,
            abi.encodeWithSelector(INodeRegistry.NotAllowListed.selector, Role.Keyholder, IMAGE, bytes32("tool"))
        );
    }

    /// @notice ⚔ The report data of a registration, of another tree, or with anything behind it binds nothing.
    function test_otherReportDataIsRefused() public {
        bytes32 expected = _binding(1);
        Registration memory registration = _registration("party1", Role.Keyholder);
        bytes32[6] memory heads = [
            registry.reportDataOf(registration),
            verifier.freshQuoteBinding(KEY, EPOCH, 1, keccak256("other root"), 1),
            verifier.freshQuoteBinding(KEY, EPOCH, 1, _root(), 2),
            verifier.freshQuoteBinding(KEY, EPOCH + 1, 1, _root(), 1),
            verifier.freshQuoteBinding(keccak256("other"), EPOCH, 1, _root(), 1),
            bytes32(0)
        ];
        for (uint256 i; i < heads.length; ++i) {
            FreshQuote[] memory freshQuotes = _quotes(1);
            Appraisal memory appraisal = abi.decode(freshQuotes[0].evidence.quote, (Appraisal));
            appraisal.reportDataHead = heads[i];
            freshQuotes[0].evidence.quote = abi.encode(appraisal);
            _expectRefused(freshQuotes, 1, _mismatch(heads[i], expected));
        }
        FreshQuote[] memory trailing = _quotes(1);
        Appraisal memory said = abi.decode(trailing[0].evidence.quote, (Appraisal));
        said.reportDataTail = bytes32(uint256(1));
        trailing[0].evidence.quote = abi.encode(said);
        _expectRefused(trailing, 1, _mismatch(bytes32(uint256(1)), 0));
    }

    function test_bindingIsATaggedHash() public view {
        bytes32 tag = keccak256("twinlock/fresh-quote/v1");
        bytes32 root = keccak256("root");
        vm.assertEq(
            verifier.freshQuoteBinding(KEY, EPOCH, 3, root, 5),
            keccak256(abi.encode(tag, block.chainid, address(verifier), KEY, EPOCH, 3, root, 5))
        );
    }

    // Collateral and standing of now.

    function test_platformThatIsNotUpToDateIsRefused() public {
        quotes.setStatus(_machine(1).components, TcbStatus.OutOfDate);
        _expectRefused(
            _quotes(1), 1, abi.encodeWithSelector(INodeRegistry.TcbStatusNotAccepted.selector, TcbStatus.OutOfDate)
        );
    }

    /// @notice Standing bridges a late collateral; who asks for a fresh quote asks for more.
    function test_collateralPastItsDateIsRefused() public {
        FreshQuote[] memory freshQuotes = _quotes(1);
        quotes.setDates(uint32(_now()), uint32(_now() + 60 days), uint32(_now() + 7 days));
        verifier.verifyWith(_result, _certificate, _evidenceOf(freshQuotes), AcceptancePolicy(0, 1, false));
        vm.warp(_now() + 1);
        _expectRefused(freshQuotes, 1, abi.encodeWithSelector(INodeRegistry.QuoteInGrace.selector, _seats[0]));
    }

    function test_revokedCertificateIsRefused() public {
        quotes.setRevoked(_machine(1).serial);
        _expectRefused(
            _quotes(1), 1, abi.encodeWithSelector(ICollateralStore.CertificateRevoked.selector, _machine(1).serial)
        );
    }

    function test_floorsOfNowCount() public {
        FreshQuote[] memory freshQuotes = _quotes(1);
        quotes.setNumbers(19, 20);
        _expectRefused(
            freshQuotes, 1, abi.encodeWithSelector(IQuoteVerifier.NoCurrentTcbInfo.selector, bytes6("fmspc"), 20)
        );
    }

    function test_seatWithoutStandingIsRefused() public {
        vm.prank(guardian);
        registry.revoke(_seats[3]);
        _expectRefused(_quotes(8), 1, abi.encodeWithSelector(IDecryptionVerifier.SignerNotLive.selector, 4, 0));
    }

    function test_deniedMachineIsRefused() public {
        vm.prank(guardian);
        registry.denyPlatform(_machine(4).ppid);
        _expectRefused(_quotes(8), 1, abi.encodeWithSelector(IDecryptionVerifier.SignerNotLive.selector, 4, 0));
    }

    function test_removedOperatorsSeatIsRefused() public {
        vm.prank(guardian);
        registry.removeOperator(addressOfName("operator of party4"));
        _expectRefused(_quotes(8), 1, abi.encodeWithSelector(IDecryptionVerifier.SignerNotLive.selector, 4, 0));
    }

    function test_removedSoftwareIsRefused() public {
        vm.prank(guardian);
        registry.removeEntry(keyholderEntry);
        _expectRefused(_quotes(8), 1, abi.encodeWithSelector(IDecryptionVerifier.SignerNotLive.selector, 1, 0));
    }

    /// @notice Quotes do not replace the group's signature.
    function test_groupSignatureIsNeededBesides() public {
        FreshQuote[] memory freshQuotes = _quotes(15);
        Certificate memory certificate = _certificate;
        certificate.s ^= 1;
        bytes32 digest = verifier.batchDigest(_result, certificate);
        vm.expectRevert(abi.encodeWithSelector(IDecryptionVerifier.BadGroupSignature.selector, digest));
        verifier.verifyWith(_result, certificate, _evidenceOf(freshQuotes), AcceptancePolicy(0, 4, false));
    }

    function _headerOf(uint8 n) internal view override returns (EpochHeader memory) {
        return EpochHeader({groupX: _group.x, groupV: _group.v, n: n, quorum: 3, gateway: GATEWAY});
    }

    /// @dev One quote of each of these seats, as its own enclave makes it.
    function _quotes(uint256 parties) private view returns (FreshQuote[] memory freshQuotes) {
        uint256 count;
        for (uint256 bits = parties; bits != 0; bits &= bits - 1) ++count;
        freshQuotes = new FreshQuote[](count);
        uint256 next;
        for (uint8 index = 1; parties >> (index - 1) != 0; ++index) {
            if ((parties >> (index - 1)) & 1 == 0) continue;
            freshQuotes[next++] = FreshQuote(index, _quoteFor(index, _machine(index), IMAGE, COMPOSE));
        }
    }

    function _quoteFor(uint8 index, Machine memory machine, bytes32 image, bytes32 compose)
        private
        view
        returns (Evidence memory evidence)
    {
        // Whatever a registration quote of this machine says, but for software and report data.
        Registration memory none;
        evidence = _evidence(none, machine);
        Appraisal memory appraisal = abi.decode(evidence.quote, (Appraisal));
        (appraisal.imageId, appraisal.composeHash) = (image, compose);
        (appraisal.reportDataHead, appraisal.reportDataTail) = (_binding(index), 0);
        evidence.quote = abi.encode(appraisal);
    }

    function _root() private view returns (bytes32) {
        return ResultTree.leafOf(verifier.hashResult(_result));
    }

    function _binding(uint8 index) private view returns (bytes32) {
        return verifier.freshQuoteBinding(KEY, EPOCH, index, _root(), 1);
    }

    function _evidenceOf(FreshQuote[] memory freshQuotes) private pure returns (PolicyEvidence memory) {
        return PolicyEvidence(0, new bytes32[2][](0), freshQuotes);
    }

    function _mismatch(bytes32 quoted, bytes32 expected) private pure returns (bytes memory) {
        return abi.encodeWithSelector(INodeRegistry.ReportDataMismatch.selector, quoted, expected);
    }

    function _expectRefused(FreshQuote[] memory freshQuotes, uint8 wanted, bytes memory refusal) private {
        vm.expectRevert(refusal);
        verifier.verifyWith(_result, _certificate, _evidenceOf(freshQuotes), AcceptancePolicy(0, wanted, false));
    }
}
