// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICollateralObserver} from "./ICollateralObserver.sol";
import {ICollateralParser} from "./ICollateralParser.sol";

/// @notice A verified TCB info or QE identity.
/// @param data data contract with the packed content; zero where there is none
/// @param issuedAt issueDate
/// @param expiresAt last second of regular use: nextUpdate, or the end of the signer's certificate if that is earlier;
/// 0 where that certificate is revoked
/// @param evaluation TCB evaluation data number
/// @param signer index of the TCB signing certificate behind it
/// @param graceVetoed no use after `expiresAt`, for this set and those that replace it
struct CollateralSet {
    address data;
    uint32 issuedAt;
    uint32 expiresAt;
    uint16 evaluation;
    uint8 signer;
    bool graceVetoed;
}

/// @notice An intermediate CA ("platform" or "processor") with its newest CRL.
/// @param revoked data contract with the table of revoked serials; zero where the CRL has none
/// @param crlIssuedAt thisUpdate of the CRL; 0 before the first one
/// @param expiresAt last second of use: nextUpdate of the CRL, or the end of the certificate if that is earlier
/// @param processor whether it is the Processor CA
/// @param number in order of arrival, from 0
/// @param serial of the newest certificate of this key
/// @param notBefore of that certificate
/// @param notAfter of that certificate
struct IntermediateCa {
    uint256 x;
    uint256 y;
    address revoked;
    uint32 crlIssuedAt;
    uint32 expiresAt;
    bool processor;
    uint16 number;
    uint160 serial;
    uint32 notBefore;
    uint32 notAfter;
}

/// @notice What a quote verification reads, all valid now.
/// @param x y key of the intermediate CA
/// @param issuer keccak256 of its DER name
/// @param expiresAt last second of validity of CA, CRL and root CRL
/// @param ca number of the intermediate CA
/// @param tcb TCB set of the processor family with the highest evaluation number, maybe expired or absent
/// @param qe QE identity with the highest evaluation number, maybe expired or absent
struct TrustAnchors {
    uint256 x;
    uint256 y;
    bytes32 issuer;
    uint32 expiresAt;
    uint16 ca;
    CollateralSet tcb;
    CollateralSet qe;
}

/// @title ICollateralStore
/// @notice Intel's collateral, taken from anyone, believed only under Intel's root key. Everything fails closed:
/// absent, expired or revoked collateral refuses every quote that needs it.
///
/// Grace: while Intel's service is out, or its JSON is of a shape that the parser does not know, a TCB set or QE
/// identity may serve fresh quotes for `collateralGrace` more seconds, unless a newer one of its evaluation number has come
/// or somebody vetoed. Each number has a grace of its own. The verifier marks such a verdict. CRLs have no grace.
///
/// Order of a first set-up: root CRL, intermediate CA, its CRL, TCB signing certificate, TCB infos, QE identity.
interface ICollateralStore {
    event RootCrlStored(uint256 thisUpdate, uint256 nextUpdate, uint256 revoked);
    event IntermediateCaStored(bytes32 indexed caId, bool processor, uint256 notAfter);
    event CrlStored(bytes32 indexed caId, uint256 thisUpdate, uint256 nextUpdate, uint256 revoked);
    /// @param crlId keccak256 of its DER
    event CrlProposed(bytes32 indexed caId, bytes32 indexed crlId, uint256 thisUpdate, uint256 revoked);
    /// @param missing serials that are still to be read
    event CrlContinued(bytes32 indexed crlId, uint256 missing);
    event TcbSignerStored(uint256 indexed index, uint256 notAfter);
    event TcbInfoStored(bytes6 indexed fmspc, uint16 indexed evaluation, uint256 issuedAt, uint256 expiresAt);
    event QeIdentityStored(uint16 indexed evaluation, uint256 issuedAt, uint256 expiresAt);
    /// @param fmspc zero for a QE identity
    event GraceVetoed(bytes6 indexed fmspc, uint16 indexed evaluation, uint256 issuedAt);
    event ParserProposed(ICollateralParser parser, uint256 activeAt);
    event ParserWithdrawn(ICollateralParser parser);
    event ParserReplaced(ICollateralParser parser);

    /// @notice A root other than Intel's on a chain that is not the local test network.
    error ForeignRoot(bytes32 rootKeyHash, uint256 chainId);
    error NotGovernance(address caller);
    error NotGovernanceOrGuardian(address caller);
    /// @notice The signature of certificate, CRL or JSON does not verify under its issuer's key.
    error InvalidSignature();
    error UnexpectedIssuer(bytes32 issuer);
    error UnexpectedSubject(bytes32 subject);
    error NotYetValid(uint256 from, uint256 time);
    error Expired(uint256 until, uint256 time);
    /// @notice The store holds the same document, or a newer one of its kind.
    error NotNewer(uint256 held, uint256 offered);
    error CertificateRevoked(uint256 serial);
    error UnknownCa(bytes32 caId);
    error NoCrl(bytes32 caId);
    error NoRootCrl();
    /// @notice No CRL of this hash was proposed, or it is active already.
    error UnknownCrl(bytes32 crlId);
    error UnknownSet(bytes6 fmspc, uint16 evaluation);
    error GraceTooLong(uint256 grace);
    error TooManyTcbSigners();
    error TooManySets(uint16 evaluation);
    error NoParserProposed();
    error TimelockRunning(uint256 activeAt, uint256 time);
    /// @notice The proposal was not activated in time.
    error ProposalLapsed(uint256 until, uint256 time);

    function storeRootCrl(bytes calldata der) external;
    /// @return caId keccak256(x ‖ y)
    function storeIntermediateCa(bytes calldata der) external returns (bytes32 caId);
    /// @notice Takes a CRL in one transaction.
    function storeCrl(bytes32 caId, bytes calldata der) external;
    /// @notice First step for a CRL too long for one transaction: checks all but its serials and fixes its bytes. Changes
    /// nothing where it is proposed already.
    /// @return crlId keccak256 of `der`
    function proposeCrl(bytes32 caId, bytes calldata der) external returns (bytes32 crlId);
    /// @notice Reads the next `count` serials of a proposed CRL, given as the same bytes; the last one makes it active.
    function continueCrl(bytes calldata der, uint256 count) external;
    /// @notice Takes a TCB signing certificate; for a key that is known, one that ends later.
    function storeTcbSigner(bytes calldata der) external;
    /// @param json the `tcbInfo` object exactly as signed
    /// @param r s its signature
    function storeTcbInfo(bytes calldata json, uint256 r, uint256 s) external;
    /// @param json the `enclaveIdentity` object exactly as signed
    function storeQeIdentity(bytes calldata json, uint256 r, uint256 s) external;

    /// @notice Governance or guardian ends the grace of one evaluation number, also for documents that follow.
    /// @param fmspc zero for a QE identity
    function vetoGrace(bytes6 fmspc, uint16 evaluation) external;

    /// @notice Everything that verifying a quote needs, in one call.
    /// @dev Reverts unless root, CA, CRL and root CRL are valid now and neither `serial` nor any certificate above
    /// it is revoked. The two sets are the caller's to judge.
    function trustAnchors(bytes32 caId, uint256 serial, bytes6 fmspc) external view returns (TrustAnchors memory);

    /// @notice Sets of a processor family by rank: 0 has the highest evaluation number. Empty past the last.
    function tcbInfo(bytes6 fmspc, uint256 rank) external view returns (CollateralSet memory);
    function qeIdentity(uint256 rank) external view returns (CollateralSet memory);
    /// @notice Last second at which the set of this rank may serve a fresh quote; 0 where it has no grace.
    function tcbInfoGrace(bytes6 fmspc, uint256 rank) external view returns (uint256 until);
    function qeIdentityGrace(uint256 rank) external view returns (uint256 until);
    /// @notice Whether the newest lists revoke a PCK certificate or the certificate of its CA, current or not.
    /// @param ca number of the CA
    function isRevoked(uint256 ca, uint256 serial) external view returns (bool);
    function intermediateCa(bytes32 caId) external view returns (IntermediateCa memory);
    /// @notice caId by number, in order of arrival.
    function intermediateCaAt(uint256 number) external view returns (bytes32 caId);
    /// @return thisUpdate 0 before the first one
    function rootCrl() external view returns (uint256 thisUpdate, uint256 nextUpdate);
    /// @notice keccak256(x ‖ y) of the pinned root key.
    function rootKeyHash() external view returns (bytes32);
    /// @notice Told when other certificates are revoked or a grace is vetoed; zero for none.
    function observer() external view returns (ICollateralObserver);
    /// @notice Seconds, at most 30 days.
    function collateralGrace() external view returns (uint256);
    function parser() external view returns (ICollateralParser);

    /// @notice Governance proposes a parser for changed JSON; it can be activated after the timelock, for thirty days.
    function proposeParser(ICollateralParser proposed) external;
    /// @notice Governance or guardian takes a proposal back.
    function withdrawParser() external;
    function activateParser() external;
}
