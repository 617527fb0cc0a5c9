// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TcbStatus} from "../attestation/TcbStatus.sol";
import {INodeRegistry} from "../interfaces/INodeRegistry.sol";
import {Appraisal, Evidence, PlatformFacts} from "../interfaces/IQuoteVerifier.sol";
import {AllowListEntry, NodeRecord} from "../types/Node.sol";

/// @title A quote of a seated enclave for something that it vouches for now
/// @notice Judged as a renewal of that seat: under the collateral and the floors of now, of the machine that registered
/// and of the software of its allow-list entry. Stricter in one thing: collateral past its date does not serve.
library SeatQuote {
    bytes32 private constant TAG = keccak256("twinlock/fresh-quote/v1");

    /// @notice First half of the report data; the second half is zero.
    /// @param verifier whose results are quoted for
    function bindingOf(address verifier, bytes32 keyId, uint32 epoch, uint8 index, bytes32 root, uint32 leaves)
        internal
        view
        returns (bytes32)
    {
        return keccak256(abi.encode(TAG, block.chainid, verifier, keyId, epoch, index, root, leaves));
    }

    /// @notice Reverts unless the quote is genuine now, of the signer's machine and software, and binds what it must.
    /// The caller has checked the signer's live standing, which operator, machine and entry rest on.
    function requireGenuine(INodeRegistry nodes, address signer, Evidence calldata evidence, bytes32 binding)
        internal
        view
    {
        (uint16 tcbFloor, uint16 qeFloor) = nodes.floors();
        Appraisal memory quote = nodes.quoteVerifier().verify(evidence, tcbFloor, qeFloor);
        if (quote.status != TcbStatus.UpToDate) revert INodeRegistry.TcbStatusNotAccepted(quote.status);
        if (quote.inGrace) revert INodeRegistry.QuoteInGrace(signer);
        if (quote.reportDataHead != binding) revert INodeRegistry.ReportDataMismatch(quote.reportDataHead, binding);
        if (quote.reportDataTail != 0) revert INodeRegistry.ReportDataMismatch(quote.reportDataTail, 0);
        NodeRecord memory node = nodes.nodeOf(signer);
        PlatformFacts memory machine = nodes.platformOf(signer);
        if (
            quote.ppid != node.ppid || quote.piid != node.piid || quote.platform.components != machine.components
                || quote.platform.pceSvn != machine.pceSvn
        ) revert INodeRegistry.PlatformChanged(signer);
        // ⚔ The same software in another role has another entry.
        uint32 entryId = nodes.entryFor(node.role, quote.imageId, quote.composeHash);
        if (entryId == 0) revert INodeRegistry.NotAllowListed(node.role, quote.imageId, quote.composeHash);
        (AllowListEntry memory entry,) = nodes.entryOf(node.entryId);
        if (entry.imageId != quote.imageId || entry.composeHash != quote.composeHash) {
            revert INodeRegistry.MeasurementChanged(signer, entryId);
        }
    }
}
