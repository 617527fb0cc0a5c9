// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IDecryptionGateway} from "./interfaces/IDecryptionGateway.sol";
import {IDecryptionVerifier} from "./interfaces/IDecryptionVerifier.sol";
import {BoundedCall} from "./libraries/BoundedCall.sol";
import {CommitteeSize} from "./libraries/CommitteeSize.sol";
import {ResultHash} from "./libraries/ResultHash.sol";
import {
    AcceptancePolicy,
    AcceptanceRule,
    BatchCertificate,
    Certificate,
    DecryptionRequest,
    DecryptionResult,
    EndorsedCertificate,
    Obstacle,
    Opening,
    PolicyEvidence,
    RequestStatus
} from "./types/Decryption.sol";

/// @title Requests for public decryption and delivery of their results (protocol §6)
/// @notice A request costs a fixed fee. Inside the cancel window the requester may take it back and nodes do nothing;
/// afterwards nodes serve it and it cannot be taken back. A result on time goes to the requester and to nobody else. A
/// callback that reverts is recorded and anyone may repeat it. Past the deadline the fee goes back; a result that
/// comes later is stored for the requester to read. What a requester demands before a result counts stands with its
/// request, so that whoever submits has no say in it.
contract DecryptionGateway is IDecryptionGateway, ReentrancyGuardTransient {
    bytes32 private constant REQUEST_TAG = keccak256("twinlock/request/v1");

    uint256 public constant MAX_HANDLES = 32;
    uint256 public constant MAX_CALLBACK_GAS = 5_000_000;
    uint256 public constant MAX_LIFETIME = 30 days;
    /// @dev Gas that must be left beside the callback's to record its outcome, and per word of a result to store it.
    uint256 private constant RECORD_GAS = 80_000;
    uint256 private constant RECORD_GAS_PER_WORD = 23_000;
    /// @dev Gas to come from the look at a request to its callback, and for a result of a batch that is skipped.
    uint256 private constant SETTLE_GAS = 60_000;
    uint256 private constant SKIP_GAS = 15_000;

    IDecryptionVerifier public immutable verifier;
    address public immutable treasury;
    /// @inheritdoc IDecryptionGateway
    uint96 public immutable baseFee;
    /// @inheritdoc IDecryptionGateway
    uint40 public immutable cancelWindow;
    /// @inheritdoc IDecryptionGateway
    uint40 public immutable minLifetime;

    /// @inheritdoc IDecryptionGateway
    mapping(address account => uint256) public owedTo;
    /// @inheritdoc IDecryptionGateway
    mapping(bytes32 requestId => bytes) public resultOf;
    mapping(bytes32 requestId => DecryptionRequest) private _requests;
    uint256 private _counter;

    /// @param treasury_ earns the fees of results on time
    /// @param cancelWindow_ seconds in which a request may be cancelled and nodes wait
    /// @param minLifetime_ seconds that every request leaves at least: the cancel window, the time until a block is
    /// final, and the time of the service
    constructor(
        IDecryptionVerifier verifier_,
        address treasury_,
        uint96 baseFee_,
        uint40 cancelWindow_,
        uint40 minLifetime_
    ) {
        if (minLifetime_ <= cancelWindow_ || minLifetime_ > MAX_LIFETIME) {
            revert LifetimeOutOfRange(minLifetime_, uint256(cancelWindow_) + 1, MAX_LIFETIME);
        }
        verifier = verifier_;
        treasury = treasury_;
        baseFee = baseFee_;
        cancelWindow = cancelWindow_;
        minLifetime = minLifetime_;
    }

    /// @inheritdoc IDecryptionGateway
    function request(bytes32[] calldata handles, bytes4 callback, uint32 callbackGas, uint40 deadline)
        external
        payable
        returns (bytes32)
    {
        return _request(handles, callback, callbackGas, deadline, AcceptancePolicy(0, 0, false));
    }

    /// @inheritdoc IDecryptionGateway
    function requestWithPolicy(
        bytes32[] calldata handles,
        bytes4 callback,
        uint32 callbackGas,
        uint40 deadline,
        AcceptancePolicy calldata policy
    ) external payable returns (bytes32 requestId) {
        if (policy.endorsements > CommitteeSize.MAX_PARTIES || policy.freshQuotes > CommitteeSize.MAX_PARTIES) {
            revert PolicyOutOfRange(policy.endorsements, policy.freshQuotes, CommitteeSize.MAX_PARTIES);
        }
        requestId = _request(handles, callback, callbackGas, deadline, policy);
        emit PolicyRequired(requestId, policy);
    }

    /// @inheritdoc IDecryptionGateway
    function cancel(bytes32 requestId) external {
        DecryptionRequest storage pending = _withStatus(requestId, RequestStatus.Pending);
        if (msg.sender != pending.requester) revert NotRequester(msg.sender, pending.requester);
        uint256 closesAt = uint256(pending.requestedAt) + cancelWindow;
        if (block.timestamp >= closesAt) revert CancelWindowOver(requestId, closesAt);
        pending.status = RequestStatus.Cancelled;
        emit DecryptionCancelled(requestId);
        _refund(requestId, pending);
    }

    /// @inheritdoc IDecryptionGateway
    function fulfil(DecryptionResult calldata result, Certificate calldata certificate) external nonReentrant {
        _requireOpen(result, AcceptanceRule.Group);
        verifier.verify(result, certificate);
        _settle(result, certificate.keyId, AcceptanceRule.Group);
    }

    /// @inheritdoc IDecryptionGateway
    function fulfilEndorsed(DecryptionResult calldata result, EndorsedCertificate calldata certificate)
        external
        nonReentrant
    {
        _requireOpen(result, AcceptanceRule.Endorsed);
        verifier.verifyEndorsed(result, certificate);
        _settle(result, certificate.keyId, AcceptanceRule.Endorsed);
    }

    /// @inheritdoc IDecryptionGateway
    function fulfilWith(
        DecryptionResult calldata result,
        Certificate calldata certificate,
        PolicyEvidence calldata evidence
    ) external nonReentrant {
        DecryptionRequest storage open = _requireOpen(result, AcceptanceRule.Policy);
        AcceptancePolicy memory policy = AcceptancePolicy(open.endorsements, open.freshQuotes, open.groupOnly);
        verifier.verifyWith(result, certificate, evidence, policy);
        _settle(result, certificate.keyId, AcceptanceRule.Policy);
    }

    /// @inheritdoc IDecryptionGateway
    function fulfilMany(DecryptionResult[] calldata results, BatchCertificate calldata certificate)
        external
        nonReentrant
    {
        verifier.verifyBatch(results, certificate);
        // All results have one gateway: the verifier has seen to it.
        if (results[0].gateway != address(this)) revert WrongGateway(results[0].gateway);
        for (uint256 i; i < results.length; ++i) {
            DecryptionResult calldata result = results[i];
            Obstacle obstacle = _obstacleTo(result, AcceptanceRule.Group);
            if (obstacle == Obstacle.None) {
                uint256 needed = _gasFor(_requests[result.requestId].callbackGas, 32 * result.openings.length);
                if (gasleft() < needed + SETTLE_GAS + (results.length - i) * SKIP_GAS) obstacle = Obstacle.TooLittleGas;
            }
            if (obstacle == Obstacle.None) _settle(result, certificate.keyId, AcceptanceRule.Group);
            else emit ResultSkipped(result.requestId, obstacle);
        }
    }

    /// @inheritdoc IDecryptionGateway
    function retryCallback(bytes32 requestId) external nonReentrant {
        DecryptionRequest storage failed = _withStatus(requestId, RequestStatus.CallbackFailed);
        bytes memory plaintexts = resultOf[requestId];
        failed.status = RequestStatus.Fulfilled;
        // A callback that needs more than was asked for gets what the caller brought along, less twice the reserve.
        uint256 kept = 2 * _reserve(plaintexts.length);
        uint256 spare = gasleft() > kept ? gasleft() - kept : 0;
        uint256 callbackGas = Math.max(failed.callbackGas, spare - spare / 64);
        if (_deliver(requestId, failed, plaintexts, callbackGas)) {
            delete resultOf[requestId];
            emit CallbackDelivered(requestId);
        } else {
            failed.status = RequestStatus.CallbackFailed;
        }
    }

    /// @inheritdoc IDecryptionGateway
    function refund(bytes32 requestId) external {
        DecryptionRequest storage pending = _withStatus(requestId, RequestStatus.Pending);
        if (block.timestamp <= pending.deadline) revert DeadlineNotPassed(requestId, pending.deadline);
        pending.status = RequestStatus.Refunded;
        _refund(requestId, pending);
    }

    /// @inheritdoc IDecryptionGateway
    function withdraw(address to) external {
        uint256 amount = owedTo[msg.sender];
        if (amount == 0) revert NothingToWithdraw(msg.sender);
        owedTo[msg.sender] = 0;
        emit Withdrawn(msg.sender, to, amount);
        (bool paid,) = to.call{value: amount}("");
        if (!paid) revert PaymentFailed(to, amount);
    }

    /// @inheritdoc IDecryptionGateway
    function requestOf(bytes32 requestId) external view returns (DecryptionRequest memory) {
        return _requests[requestId];
    }

    function _request(
        bytes32[] calldata handles,
        bytes4 callback,
        uint32 callbackGas,
        uint40 deadline,
        AcceptancePolicy memory policy
    ) private returns (bytes32 requestId) {
        if (handles.length == 0 || handles.length > MAX_HANDLES) {
            revert HandleCountOutOfRange(handles.length, MAX_HANDLES);
        }
        if (msg.value != baseFee) revert WrongFee(msg.value, baseFee);
        if (callbackGas > MAX_CALLBACK_GAS || (callback == 0) != (callbackGas == 0)) {
            revert CallbackGasOutOfRange(callbackGas, MAX_CALLBACK_GAS);
        }
        uint256 earliest = block.timestamp + minLifetime;
        uint256 latest = block.timestamp + MAX_LIFETIME;
        if (deadline < earliest || deadline > latest) revert DeadlineOutOfRange(deadline, earliest, latest);

        bytes32 handlesHash = keccak256(abi.encodePacked(handles));
        // The parent block hash makes the request of an orphaned block another request.
        requestId = keccak256(
            abi.encode(
                REQUEST_TAG,
                block.chainid,
                address(this),
                msg.sender,
                handlesHash,
                _counter++,
                blockhash(block.number - 1)
            )
        );
        _requests[requestId] = DecryptionRequest({
            requester: msg.sender,
            requestedAt: uint40(block.timestamp),
            status: RequestStatus.Pending,
            callback: callback,
            deadline: deadline,
            callbackGas: callbackGas,
            fee: uint96(msg.value),
            endorsements: policy.endorsements,
            freshQuotes: policy.freshQuotes,
            groupOnly: policy.groupOnly,
            handlesHash: handlesHash
        });
        emit DecryptionRequested(requestId, msg.sender, handles, callback, callbackGas, deadline, msg.value);
    }

    /// @dev The request that `result` may settle by this rule; typed errors where it may not.
    function _requireOpen(DecryptionResult calldata result, AcceptanceRule rule)
        private
        view
        returns (DecryptionRequest storage open)
    {
        bytes32 requestId = result.requestId;
        open = _requests[requestId];
        Obstacle obstacle = _obstacleTo(result, rule);
        if (obstacle == Obstacle.WrongStatus) revert WrongStatus(requestId, open.status);
        if (obstacle == Obstacle.StillCancellable) {
            revert StillCancellable(requestId, uint256(open.requestedAt) + cancelWindow);
        }
        if (result.gateway != address(this)) revert WrongGateway(result.gateway);
        if (obstacle == Obstacle.HandlesMismatch) {
            revert HandlesMismatch(ResultHash.ofHandles(result.openings), open.handlesHash);
        }
        if (obstacle == Obstacle.PolicyNotMet) revert PolicyNotMet(requestId);
    }

    function _obstacleTo(DecryptionResult calldata result, AcceptanceRule rule) private view returns (Obstacle) {
        DecryptionRequest storage open = _requests[result.requestId];
        RequestStatus status = open.status;
        if (status != RequestStatus.Pending && status != RequestStatus.Refunded) return Obstacle.WrongStatus;
        if (block.timestamp < uint256(open.requestedAt) + cancelWindow) return Obstacle.StillCancellable;
        if (ResultHash.ofHandles(result.openings) != open.handlesHash) return Obstacle.HandlesMismatch;
        if (rule != AcceptanceRule.Policy) {
            // What needs evidence has no other way; what must be the group's is not replaced by a quorum's.
            bool wantsMore = open.endorsements != 0 || open.freshQuotes != 0;
            if (wantsMore || (rule == AcceptanceRule.Endorsed && open.groupOnly)) return Obstacle.PolicyNotMet;
        }
        return Obstacle.None;
    }

    /// @dev Records a verified result and delivers it; the caller has found no obstacle.
    function _settle(DecryptionResult calldata result, bytes32 keyId, AcceptanceRule rule) private {
        bytes32 requestId = result.requestId;
        DecryptionRequest storage open = _requests[requestId];
        RequestStatus status = open.status;
        if (block.timestamp > open.deadline) {
            if (status == RequestStatus.Pending) _refund(requestId, open);
            status = RequestStatus.FulfilledLate;
        } else {
            if (open.fee != 0) owedTo[treasury] += open.fee;
            status = RequestStatus.Fulfilled;
        }
        // Written before the callback: a result is delivered once, whatever the requester does in it.
        open.status = status;
        bytes memory plaintexts = _plaintexts(result.openings);
        if (status == RequestStatus.FulfilledLate || open.callback == 0) {
            resultOf[requestId] = plaintexts;
        } else if (!_deliver(requestId, open, plaintexts, open.callbackGas)) {
            status = RequestStatus.CallbackFailed;
            open.status = status;
            resultOf[requestId] = plaintexts;
        }
        emit DecryptionFulfilled(requestId, keyId, status, rule, result.openings);
    }

    /// @dev Calls the requester with exactly `callbackGas`. The caller of this transaction cannot make the callback fail
    /// by bringing too little gas (63/64 rule), and the requester cannot make the recording fail by what it returns.
    function _deliver(
        bytes32 requestId,
        DecryptionRequest storage open,
        bytes memory plaintexts,
        uint256 callbackGas
    ) private returns (bool delivered) {
        address requester = open.requester;
        bytes memory call = abi.encodeWithSelector(open.callback, requestId, plaintexts);
        uint256 required = _gasFor(callbackGas, plaintexts.length);
        if (gasleft() < required) revert TooLittleGas(gasleft(), required);
        bytes memory reason;
        (delivered, reason) = BoundedCall.call(requester, callbackGas, call);
        if (!delivered) emit CallbackReverted(requestId, reason);
    }

    function _refund(bytes32 requestId, DecryptionRequest storage open) private {
        owedTo[open.requester] += open.fee;
        emit FeeRefunded(requestId, open.requester, open.fee);
    }

    function _withStatus(bytes32 requestId, RequestStatus wanted) private view returns (DecryptionRequest storage found) {
        found = _requests[requestId];
        if (found.status != wanted) revert WrongStatus(requestId, found.status);
    }

    function _plaintexts(Opening[] calldata openings) private pure returns (bytes memory) {
        uint256[] memory words = new uint256[](openings.length);
        for (uint256 i; i < openings.length; ++i) words[i] = openings[i].plaintext;
        return abi.encodePacked(words);
    }

    /// @dev What must be left before a callback so that it gets all of its gas (63/64 rule) and the outcome is recorded.
    function _gasFor(uint256 callbackGas, uint256 plaintextBytes) private pure returns (uint256) {
        return callbackGas + callbackGas / 63 + _reserve(plaintextBytes);
    }

    function _reserve(uint256 plaintextBytes) private pure returns (uint256) {
        return RECORD_GAS + RECORD_GAS_PER_WORD * (plaintextBytes / 32);
    }
}
