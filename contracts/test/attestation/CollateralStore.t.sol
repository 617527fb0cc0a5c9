// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CollateralStore} from "../../src/attestation/CollateralStore.sol";
import {Der} from "../../src/attestation/Der.sol";
import {X509} from "../../src/attestation/X509.sol";
import {ICollateralParser} from "../../src/interfaces/ICollateralParser.sol";
import {CollateralSet, ICollateralStore, IntermediateCa} from "../../src/interfaces/ICollateralStore.sol";
import {Artifact} from "./support/Artifact.sol";
import {Bytes} from "./support/Bytes.sol";
import {Platform} from "./support/Platform.sol";

/// @notice What the store takes and from whom. Documents that break one rule are signed correctly.
contract CollateralStoreTest is Platform {
    using Bytes for bytes;

    bytes6 private constant FMSPC = 0xb0c06f000000;

    function test_foreignRoot_isRefusedOnEveryOtherChain() public {
        (uint256 x, uint256 y) = (uint256(_word(".root.x")), uint256(_word(".root.y")));
        uint256[4] memory chains = [uint256(1), 10, 31338, 11155111];
        for (uint256 i = 0; i < chains.length; i++) {
            vm.chainId(chains[i]);
            vm.expectRevert(
                abi.encodeWithSelector(
                    ICollateralStore.ForeignRoot.selector, keccak256(abi.encode(x, y)), chains[i]
                )
            );
            _newStore();
        }
    }

    /// @dev Each entrance checks again: state of the local network may be copied to another chain.
    function test_foreignRoot_isRefusedAtEachUseOnAnotherChain() public {
        bytes memory refusal = abi.encodeWithSelector(ICollateralStore.ForeignRoot.selector, store.rootKeyHash(), 1);
        bytes memory json = _text(".tcbInfos.refreshed");
        (bytes32 r, bytes32 s) = _signAsTcb(json);
        bytes[4] memory documents = [
            _bytes(".crls.rootRevokingOthers"),
            _bytes(".processorCa.certificate"),
            _bytes(".crls.platformRevokingHost0"),
            _bytes(".secondSigner.certificate")
        ];
        bytes32 caId = _platformCaId();
        vm.warp(now0 + 2 minutes);
        bytes memory proposed = documents[2];
        store.proposeCrl(caId, proposed);
        vm.chainId(1);
        vm.expectRevert(refusal);
        store.storeRootCrl(documents[0]);
        vm.expectRevert(refusal);
        store.storeIntermediateCa(documents[1]);
        vm.expectRevert(refusal);
        store.storeCrl(caId, documents[2]);
        vm.expectRevert(refusal);
        store.proposeCrl(caId, documents[2]);
        vm.expectRevert(refusal);
        store.continueCrl(proposed, 1);
        vm.expectRevert(refusal);
        store.storeTcbSigner(documents[3]);
        vm.expectRevert(refusal);
        store.storeTcbInfo(json, uint256(r), uint256(s));
        vm.expectRevert(refusal);
        store.storeQeIdentity(json, uint256(r), uint256(s));
        vm.expectRevert(refusal);
        store.trustAnchors(caId, 1, FMSPC);
    }

    function test_nothingIsTaken_beforeTheRootCrl() public {
        CollateralStore fresh = _newStore();
        bytes memory ca = _bytes(".platformCa.certificate");
        bytes memory signer = _bytes(".tcbSigner.certificate");
        vm.expectRevert(abi.encodeWithSelector(ICollateralStore.NoRootCrl.selector));
        fresh.storeIntermediateCa(ca);
        vm.expectRevert(abi.encodeWithSelector(ICollateralStore.NoRootCrl.selector));
        fresh.storeTcbSigner(signer);
        vm.expectRevert(abi.encodeWithSelector(ICollateralStore.NoRootCrl.selector));
        fresh.trustAnchors(bytes32(0), 1, FMSPC);
        fresh.storeRootCrl(_bytes(".crls.root"));
        bytes32 caId = fresh.storeIntermediateCa(ca);
        vm.expectRevert(abi.encodeWithSelector(ICollateralStore.NoCrl.selector, caId));
        fresh.trustAnchors(caId, 1, FMSPC);
        bytes memory json = _text(".tcbInfos.current");
        (bytes32 r, bytes32 s) = _signAsTcb(json);
        vm.expectRevert(abi.encodeWithSelector(ICollateralStore.InvalidSignature.selector));
        fresh.storeTcbInfo(json, uint256(r), uint256(s));
    }

    function test_rootCrl() public {
        bytes memory crl = _bytes(".crls.rootRevokingOthers");
        bytes memory future = _crlWithDates(_bytes(".crls.root"), "261002000000Z", "271001000000Z", ".root.key");
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralStore.NotYetValid.selector, now0 + 1 days, now0 + 1 hours)
        );
        store.storeRootCrl(future);
        vm.expectRevert(abi.encodeWithSelector(ICollateralStore.NotNewer.selector, now0, now0));
        store.storeRootCrl(_bytes(".crls.root"));
        bytes memory foreign =
            _resign(crl, "Intel SGX Root CA", "Intel SGX Root CA", uint256(_word(".platformCa.key")));
        vm.expectRevert(abi.encodeWithSelector(ICollateralStore.InvalidSignature.selector));
        store.storeRootCrl(foreign);
        bytes memory renamed = _resign(crl, "Intel SGX Root CA", "Intel SGX Root CB", uint256(_word(".root.key")));
        avm.expectPartialRevert(ICollateralStore.UnexpectedIssuer.selector);
        store.storeRootCrl(renamed);
        store.storeRootCrl(crl);
        (uint256 thisUpdate, uint256 nextUpdate) = store.rootCrl();
        vm.assertEq(thisUpdate, now0 + 60);
        vm.assertEq(nextUpdate, now0 + 60 + 365 days);
    }

    function test_crlOfTheCa() public {
        bytes32 caId = _platformCaId();
        bytes memory crl = _bytes(".crls.platformRevokingHost0");
        uint256 key = uint256(_word(".platformCa.key"));
        vm.expectRevert(abi.encodeWithSelector(ICollateralStore.UnknownCa.selector, bytes32(0)));
        store.storeCrl(bytes32(0), crl);
        vm.expectRevert(abi.encodeWithSelector(ICollateralStore.NotNewer.selector, now0, now0));
        store.storeCrl(caId, _bytes(".crls.platform"));
        vm.expectRevert(abi.encodeWithSelector(ICollateralStore.UnexpectedIssuer.selector, X509.PROCESSOR_CA));
        store.storeCrl(caId, _bytes(".crls.processor"));
        bytes memory foreign = _resign(crl, hex"020101300a", hex"020101300a", uint256(_word(".root.key")));
        vm.expectRevert(abi.encodeWithSelector(ICollateralStore.InvalidSignature.selector));
        store.storeCrl(caId, foreign);
        // Version 1, another reason extension marked critical, another critical extension.
        _refuseCrl(_resign(crl, hex"020101300a", hex"020100300a", key));
        _refuseCrl(_resign(crl, hex"0603551d1504", hex"0603551d1501", key));
        _refuseCrl(_resign(crl, hex"0603551d1404", hex"0603551d1401", key));
        _refuseCrl(bytes.concat(crl, hex"00"));
        bytes memory past = _crlWithDates(_bytes(".crls.platform"), "261001000001Z", "261001003000Z", ".platformCa.key");
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralStore.Expired.selector, now0 + 30 minutes, now0 + 1 hours)
        );
        store.storeCrl(caId, past);
        store.storeCrl(caId, crl);
        IntermediateCa memory ca = store.intermediateCa(caId);
        vm.assertEq(ca.crlIssuedAt, now0 + 60);
        vm.assertEq(ca.expiresAt, now0 + 60 + 30 days);
        vm.assertEq(store.intermediateCaAt(ca.number), caId);
    }

    function test_crlWithoutSerials_revokesNothing() public {
        vm.warp(now0 + 3 days);
        store.storeCrl(_platformCaId(), _bytes(".crls.platformEmpty"));
        vm.assertEq(store.intermediateCa(_platformCaId()).revoked, address(0));
        quotes.verify(_evidenceOf("host0"), 20, 20);
    }

    /// @dev Also where the CRL itself lives longer than the certificate.
    function test_caCertificate_endsItsCrl() public {
        bytes memory ca = _resign(
            _bytes(".platformCa.certificate"),
            hex"170d3235303130313030303030305a170d3439313233313233353935395a",
            hex"170d3235303130323030303030305a170d3236313031353030303030305a",
            uint256(_word(".root.key"))
        );
        store.storeIntermediateCa(ca);
        vm.warp(now0 + 1 days + 1 hours);
        store.storeCrl(_platformCaId(), _bytes(".crls.platformRefreshed"));
        vm.assertEq(store.intermediateCa(_platformCaId()).expiresAt, now0 + 14 days);
        vm.warp(now0 + 14 days + 1);
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralStore.Expired.selector, now0 + 14 days, now0 + 14 days + 1)
        );
        store.trustAnchors(_platformCaId(), 1, FMSPC);
    }

    function test_intermediateCa() public {
        bytes memory ca = _bytes(".platformCa.certificate");
        uint256 root = uint256(_word(".root.key"));
        bytes memory usage = hex"0603551d0f0101ff040403020106";
        bytes memory constraints = hex"0603551d130101ff040830060101ff020100";
        avm.expectPartialRevert(ICollateralStore.NotNewer.selector);
        store.storeIntermediateCa(ca);
        bytes memory wrong = _resign(ca, usage, usage, uint256(_word(".tcbSigner.key")));
        vm.expectRevert(abi.encodeWithSelector(ICollateralStore.InvalidSignature.selector));
        store.storeIntermediateCa(wrong);
        wrong = _resign(ca, usage, hex"0603551d0f0101ff040403020102", root);
        vm.expectRevert(abi.encodeWithSelector(X509.WrongCertificateExtensions.selector));
        store.storeIntermediateCa(wrong);
        // Path length 1: could make further CAs.
        wrong = _resign(ca, constraints, hex"0603551d130101ff040830060101ff020101", root);
        vm.expectRevert(abi.encodeWithSelector(X509.WrongCertificateExtensions.selector));
        store.storeIntermediateCa(wrong);
        wrong = _resign(ca, "Intel SGX PCK Platform CA", "Intel SGX PCK Platform CB", root);
        avm.expectPartialRevert(ICollateralStore.UnexpectedSubject.selector);
        store.storeIntermediateCa(wrong);
        wrong = _resign(ca, "Intel SGX Root CA", "Intel SGX Root CB", root);
        avm.expectPartialRevert(ICollateralStore.UnexpectedIssuer.selector);
        store.storeIntermediateCa(wrong);
        wrong = _resign(ca, hex"170d3439313233313233353935395a", hex"170d3236303133313233353935395a", root);
        avm.expectPartialRevert(ICollateralStore.Expired.selector);
        store.storeIntermediateCa(wrong);
        wrong = _resign(ca, hex"170d3235303130313030303030305a", hex"170d3237303130313030303030305a", root);
        avm.expectPartialRevert(ICollateralStore.NotYetValid.selector);
        store.storeIntermediateCa(wrong);
        wrong = _bytes(".tcbSigner.certificate");
        vm.expectRevert(abi.encodeWithSelector(X509.WrongCertificateExtensions.selector));
        store.storeIntermediateCa(wrong);
    }

    function test_revokedCa_isNotTaken() public {
        CollateralStore fresh = _newStore();
        fresh.storeRootCrl(_bytes(".crls.rootRevokingPlatformCa"));
        bytes memory ca = _bytes(".platformCa.certificate");
        avm.expectPartialRevert(ICollateralStore.CertificateRevoked.selector);
        fresh.storeIntermediateCa(ca);
        fresh.storeIntermediateCa(_bytes(".processorCa.certificate"));
    }

    /// @dev ⚔ any certificate under the root, a PCK certificate above all, could sign itself good collateral.
    function test_tcbSigner_mustBeTheTcbSigner() public {
        bytes memory impostor = _bytes(".impostor.certificate");
        vm.expectRevert(abi.encodeWithSelector(ICollateralStore.UnexpectedSubject.selector, X509.PCK));
        store.storeTcbSigner(impostor);
        bytes memory leaf = _machine("host0").pckLeaf;
        vm.expectRevert(abi.encodeWithSelector(ICollateralStore.UnexpectedSubject.selector, X509.PCK));
        store.storeTcbSigner(leaf);
        // Named like the signer, but issued by the Platform CA.
        bytes memory signer = _resign(
            _bytes(".tcbSigner.certificate"), "Intel SGX Root CA", "Intel SGX Root CA", uint256(_word(".platformCa.key"))
        );
        vm.expectRevert(abi.encodeWithSelector(ICollateralStore.InvalidSignature.selector));
        store.storeTcbSigner(signer);
        bytes memory ca = _bytes(".platformCa.certificate");
        vm.expectRevert(abi.encodeWithSelector(X509.WrongCertificateExtensions.selector));
        store.storeTcbSigner(ca);
        signer = _bytes(".tcbSigner.certificate");
        avm.expectPartialRevert(ICollateralStore.NotNewer.selector);
        store.storeTcbSigner(signer);
    }

    function test_tcbInfo_takesNoOlderOneOfItsNumber() public {
        bytes memory json = _text(".tcbInfos.current");
        (bytes32 r, bytes32 s) = _signAsTcb(json);
        vm.expectRevert(abi.encodeWithSelector(ICollateralStore.NotNewer.selector, now0, now0));
        store.storeTcbInfo(json, uint256(r), uint256(s));
        vm.warp(now0 + 1 days);
        _storeTcbInfo(store, _text(".tcbInfos.refreshed"));
        vm.expectRevert(abi.encodeWithSelector(ICollateralStore.NotNewer.selector, now0 + 1 days, now0));
        store.storeTcbInfo(json, uint256(r), uint256(s));
    }

    function test_tcbInfo_onlyWhileItIsValid() public {
        bytes memory json = _text(".tcbInfos.refreshed");
        (bytes32 r, bytes32 s) = _signAsTcb(json);
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralStore.NotYetValid.selector, now0 + 1 days, now0 + 1 hours)
        );
        store.storeTcbInfo(json, uint256(r), uint256(s));
        vm.warp(now0 + 31 days + 1);
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralStore.Expired.selector, now0 + 31 days, now0 + 31 days + 1)
        );
        store.storeTcbInfo(json, uint256(r), uint256(s));
    }

    function test_refreshOfDatesAlone_keepsTheContent() public {
        address content = store.tcbInfo(FMSPC, 0).data;
        vm.warp(now0 + 1 days);
        _storeTcbInfo(store, _text(".tcbInfos.refreshed"));
        vm.assertEq(store.tcbInfo(FMSPC, 0).data, content);
        vm.assertEq(store.tcbInfo(FMSPC, 0).issuedAt, now0 + 1 days);
    }

    function test_setsAreKept_byFallingNumber() public {
        _storeTcbInfo(store, _text(".tcbInfos.older"));
        _storeTcbInfo(store, _text(".tcbInfos.early"));
        _assertNumbers(_numbers(21, 20, 19));
        for (uint16 number = 30; number < 35; number++) _storeNumbered(number);
        _assertNumbers(_numbers(34, 33, 32, 31, 30, 21, 20, 19));
        // A full list drops the lowest for a higher one, and takes no lower one.
        _storeNumbered(25);
        _assertNumbers(_numbers(34, 33, 32, 31, 30, 25, 21, 20));
        bytes memory json = _numbered(5);
        (bytes32 r, bytes32 s) = _signAsTcb(json);
        vm.expectRevert(abi.encodeWithSelector(ICollateralStore.TooManySets.selector, uint16(5)));
        store.storeTcbInfo(json, uint256(r), uint256(s));
        vm.assertEq(store.tcbInfo(FMSPC, 8).data, address(0));
    }

    /// forge-config: default.fuzz.runs = 24
    function testFuzz_setsAreSorted_inWhateverOrderTheyArrive(uint256 order) public {
        uint16[4] memory numbers = [uint16(11), 12, 13, 24];
        for (uint256 left = 4; left > 0; left--) {
            uint256 pick = order % left;
            order /= left;
            _storeNumbered(numbers[pick]);
            numbers[pick] = numbers[left - 1];
        }
        _assertNumbers(_numbers(24, 20, 13, 12, 11, 0, 0, 0));
    }

    function test_expiredSet_makesRoom() public {
        vm.warp(now0 + 30 days + 1);
        _storeTcbInfo(
            store,
            _text(".tcbInfos.early").replace("2026-10-01T", "2026-10-30T").replace("2026-10-31T", "2026-11-29T")
        );
        _assertNumbers(_numbers(21));
    }

    function test_tamperedSignatureOrText_isRefused() public {
        bytes memory json = _text(".tcbInfos.early");
        (bytes32 r, bytes32 s) = _signAsTcb(json);
        vm.expectRevert(abi.encodeWithSelector(ICollateralStore.InvalidSignature.selector));
        store.storeTcbInfo(json, uint256(r) ^ 1, uint256(s));
        vm.expectRevert(abi.encodeWithSelector(ICollateralStore.InvalidSignature.selector));
        store.storeTcbInfo(json.replace('"OutOfDate"', '"UpToDate" '), uint256(r), uint256(s));
        vm.expectRevert(abi.encodeWithSelector(ICollateralStore.InvalidSignature.selector));
        store.storeQeIdentity(json, uint256(r), uint256(s) ^ 1);
    }

    /// @dev ⚔ both are signed by the same key.
    function test_oneDocument_isNotTakenForTheOther() public {
        bytes memory json = _text(".tcbInfos.early");
        (bytes32 r, bytes32 s) = _signAsTcb(json);
        vm.expectRevert();
        store.storeQeIdentity(json, uint256(r), uint256(s));
        json = _text(".qeIdentities.strict");
        (r, s) = _signAsTcb(json);
        vm.expectRevert();
        store.storeTcbInfo(json, uint256(r), uint256(s));
    }

    function test_parser_isReplacedBehindTheTimelock() public {
        ICollateralParser next = ICollateralParser(Artifact.create("CollateralParser", ""));
        vm.expectRevert(abi.encodeWithSelector(ICollateralStore.NotGovernance.selector, address(this)));
        store.proposeParser(next);
        vm.expectRevert(abi.encodeWithSelector(ICollateralStore.NotGovernance.selector, guardian));
        vm.prank(guardian);
        store.proposeParser(next);
        vm.startPrank(governance);
        vm.expectRevert(abi.encodeWithSelector(ICollateralStore.NoParserProposed.selector));
        store.activateParser();
        store.proposeParser(next);
        uint256 activeAt = _now() + 60;
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralStore.TimelockRunning.selector, activeAt, _now())
        );
        store.activateParser();
        vm.stopPrank();
        vm.prank(guardian);
        store.withdrawParser();
        vm.startPrank(governance);
        vm.warp(activeAt);
        vm.expectRevert(abi.encodeWithSelector(ICollateralStore.NoParserProposed.selector));
        store.activateParser();
        store.proposeParser(next);
        vm.warp(activeAt + 60);
        store.activateParser();
        vm.assertEq(address(store.parser()), address(next));
        store.proposeParser(next);
        uint256 lapsesAt = _now() + 60 + 30 days;
        vm.warp(lapsesAt + 1);
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralStore.ProposalLapsed.selector, lapsesAt, lapsesAt + 1)
        );
        store.activateParser();
        vm.warp(lapsesAt);
        store.activateParser();
    }

    function testFuzz_flippedByteOfADocument_isRefused(uint256 position, uint8 flip, uint8 which) public {
        vm.assume(flip != 0);
        vm.warp(now0 + 1 days + 1 hours);
        which %= 4;
        bytes memory document;
        if (which == 0) document = _bytes(".crls.rootRevokingOthers");
        if (which == 1) document = _bytes(".processorCa.certificate");
        if (which == 2) document = _bytes(".crls.platformRefreshed");
        if (which == 3) document = _bytes(".secondSigner.certificate");
        position = bound(position, 0, document.length - 1);
        document[position] = bytes1(uint8(document[position]) ^ flip);
        bytes32 caId = _platformCaId();
        vm.expectRevert();
        if (which == 0) store.storeRootCrl(document);
        if (which == 1) store.storeIntermediateCa(document);
        if (which == 2) store.storeCrl(caId, document);
        if (which == 3) store.storeTcbSigner(document);
    }

    function _refuseCrl(bytes memory crl) private {
        bytes32 caId = _platformCaId();
        avm.expectPartialRevert(Der.MalformedDer.selector);
        store.storeCrl(caId, crl);
    }

    function _crlWithDates(bytes memory crl, bytes memory thisUpdate, bytes memory nextUpdate, string memory key)
        private
        view
        returns (bytes memory)
    {
        uint256 date = crl.find(hex"170d323631");
        bytes memory dates = bytes.concat(hex"170d", thisUpdate, hex"170d", nextUpdate);
        return _resign(crl, crl.slice(date, date + 30), dates, uint256(_word(key)));
    }

    function _numbered(uint16 number) private view returns (bytes memory) {
        return _text(".tcbInfos.current").replace(
            '"tcbEvaluationDataNumber":20', bytes(string.concat('"tcbEvaluationDataNumber":', vm.toString(number)))
        );
    }

    function _storeNumbered(uint16 number) private {
        _storeTcbInfo(store, _numbered(number));
    }

    function _assertNumbers(uint16[8] memory numbers) private view {
        for (uint256 rank = 0; rank < 8; rank++) {
            CollateralSet memory set = store.tcbInfo(FMSPC, rank);
            vm.assertEq(set.evaluation, numbers[rank]);
            vm.assertEq(set.data != address(0), numbers[rank] != 0);
        }
    }

    function _numbers(uint16 a) private pure returns (uint16[8] memory list) {
        list[0] = a;
    }

    function _numbers(uint16 a, uint16 b, uint16 c) private pure returns (uint16[8] memory list) {
        (list[0], list[1], list[2]) = (a, b, c);
    }

    function _numbers(uint16 a, uint16 b, uint16 c, uint16 d, uint16 e, uint16 f, uint16 g, uint16 h)
        private
        pure
        returns (uint16[8] memory)
    {
        return [a, b, c, d, e, f, g, h];
    }
}
